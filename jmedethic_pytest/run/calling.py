"""The models of a run, opened: how many calls each may have in flight follows from what a conversation asks."""

from __future__ import annotations

from pathlib import Path

from jmedethic_pytest.attack.attacker import Attacker
from jmedethic_pytest.models import ModelRef
from jmedethic_pytest.models.client import Client
from jmedethic_pytest.models.opening import Clients, tell_apart
from jmedethic_pytest.run.spec import RunSpec


def judges(spec: RunSpec, clients: Clients, cache: Path) -> list[Client]:
    """Return the judges of the panel, then the third; each is asked up to once a turn at the same time."""
    settings, beside = spec.settings, len(spec.all_judges)
    most = settings.calls or settings.concurrency * max(1, spec.longest)
    opened = [clients.open("judge", judge, cache, ceiling=most, beside=beside) for judge in spec.all_judges]
    tell_apart(opened)
    return opened


def target(spec: RunSpec, clients: Clients, cache: Path, ref: ModelRef) -> Client:
    """Return the target, under the mark of the replies it may be answered with; see :func:`_attacks` for its calls."""
    most = spec.settings.calls or spec.settings.concurrency * _attacks(spec)
    room = spec.serving.most_calls if spec.serving is not None else None
    most = min(most, room or most)
    return clients.open("target", ref, cache, ceiling=most, beside=len(spec.all_judges))


def attacker(spec: RunSpec, clients: Clients, cache: Path) -> Attacker | None:
    """Return who goes on where the written turns end, if anybody does."""
    if spec.attacker is None:
        return None
    settings, table = spec.settings, spec.thresholds.attacker
    most, beside = settings.calls or settings.concurrency * _attacks(spec), len(spec.all_judges)
    client = clients.open("attacker", spec.attacker, cache, ceiling=most, beside=beside)
    return Attacker(client, table, settings.attack_style, settings.max_turns, spec.cases.vocabulary)


def _attacks(spec: RunSpec) -> int:
    """Return how many questions a conversation may have open at a time: one, or one for each seed of an attacker."""
    return 1 if spec.attacker is None else spec.thresholds.attacker.seeds
