"""A run in Weights & Biases: one run there by its id, whose summary a second export replaces.

Nothing of this machine goes along that the run itself does not say: no console, no code, no host, no Git.
"""

from __future__ import annotations

import re
from pathlib import Path

from jmedethic_pytest.core.errors import StoreError, not_installed
from jmedethic_pytest.reports.trackers.told import Told


def send(told: Told, folder: Path, project: str, address: str | None) -> str:
    """Write a run into a project; with ``WANDB_MODE=offline`` into the folder ``wandb``, for ``wandb sync``.

    Args:
        told: the run.
        folder: files that go along, as one artefact: a new version only where they differ from the last.
        project: its name.
        address: of the server; ``None`` for what Weights & Biases is set up for (WANDB_BASE_URL).

    Returns:
        Where it is.

    Raises:
        ConfigError: if wandb is not installed.
        StoreError: if the server cannot be reached or refuses.
    """
    try:
        import wandb
    except ImportError:
        raise not_installed("--to wandb", "wandb", "wandb") from None
    quiet = wandb.Settings(
        base_url=address or wandb.Settings().base_url,
        console="off",
        silent=True,
        disable_git=True,
        save_code=False,
        x_disable_machine_info=True,
        x_disable_meta=True,
        x_disable_stats=True,
    )
    number = re.sub(r"[^\w-]", "-", told.run)
    try:
        with wandb.init(
            project=project,
            id=number,
            name=told.run,
            resume="allow",
            config=told.parameters,
            notes=told.note,
            settings=quiet,
        ) as run:
            run.summary.update({**told.figures, **told.answers})
            artefact = wandb.Artifact(f"jmedethic-{number}", type="evaluation")
            artefact.add_dir(str(folder))
            run.log_artifact(artefact)
            where = run.url or f"{Path(run.dir).parent}; next: wandb sync {Path(run.dir).parent}"
    except (wandb.Error, OSError) as error:
        said = str(error).splitlines()[0][:300]
        raise StoreError(f"--to wandb: {said}. Log in (wandb login), or keep it here: WANDB_MODE=offline.") from None
    return f"Weights & Biases, project {project}, run {told.run}: {where}"
