"""Who can collect the replies of a sweep, by name."""

from __future__ import annotations

from jmedethic_pytest.core.errors import ConfigError
from jmedethic_pytest.launch import slurm
from jmedethic_pytest.launch.local import Local
from jmedethic_pytest.launch.on_ray import OnRay
from jmedethic_pytest.launch.slurm import Slurm
from jmedethic_pytest.launch.sweep_file import Sweep
from jmedethic_pytest.launch.work import Launcher, Work

NAMES = ("local", "slurm", "ray")


def opened(name: str, sweep: Sweep, work: Work, jobs: int) -> Launcher:
    """Return a launcher.

    Args:
        name: of :data:`NAMES`.
        sweep: what is said of it in the file.
        work: the sweep.
        jobs: processes at the same time on this machine.

    Raises:
        JmedError: if what it needs is not there.
    """
    if name == "ray":
        return OnRay(sweep, work)
    return Slurm(sweep, work) if name == "slurm" else Local(work, jobs)


def queue(sweep: Sweep, work: Work) -> Launcher | None:
    """Return the queue of jobs that a sweep stands in, where it can be asked here; ``None`` if it stands in none."""
    if not slurm.scripts(work).is_dir():
        return None
    try:
        return Slurm(sweep, work)
    except ConfigError:
        return None
