"""Which runs link two panels: the same transcripts, scored by the one and by the other, of several models."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from jmedethic_pytest.analysis.stored import StoredRun
from jmedethic_pytest.core.errors import ConfigError
from jmedethic_pytest.store import comparable, judge_files
from jmedethic_pytest.store.judge_files import PanelOf
from jmedethic_pytest.store.scores import Origin
from jmedethic_pytest.store.transcripts import open_transcripts

LEAST_MODELS = 3


class Pair(NamedTuple):
    """A model's conversations by the old panel and by the new one."""

    old: StoredRun
    new: StoredRun
    transcripts: dict[str, str]
    """Digest of every conversation that both runs hold, by its key; they were found to be the same."""


def panel_of(origin: Origin) -> PanelOf:
    """Return who judged a run."""
    names = (judge["model"] for judge in origin.judges)
    return judge_files.panel(names, origin.prompts, origin.judge_context, origin.judging)


def same_transcripts(old: Path, new: Path) -> dict[str, str]:
    """Return the digest of every conversation that two runs hold, by its key.

    Raises:
        ConfigError: if they have none in common, or one that differs.
        StoreError: if a run cannot be read, is incomplete, was redacted or edited.
    """
    first, second = open_transcripts(old).digests, open_transcripts(new).digests
    common = first.keys() & second.keys()
    changed = sorted(key for key in common if first[key] != second[key])
    if changed or not common:
        what = f"{len(changed)} conversations differ: {', '.join(changed[:3])}" if changed else "none is in both"
        raise ConfigError(
            f"judges link: {old.name} and {new.name} are not of the same transcripts: {what}. Score those of the first "
            f"again: jmedethic rejudge {old.name} --judges=..."
        )
    return {key: first[key] for key in common}


def unlike(pairs: Sequence[Pair]) -> Iterator[str]:
    """Yield why runs do not link two panels: one that is none of the two, a panel with itself, or too few models."""
    old, new = panel_of(pairs[0].old.origin), panel_of(pairs[0].new.origin)
    if not old.unlike(new):
        yield f"judges link: both runs are by {old}: there is nothing to link."
    for pair in pairs:
        for panel, run in ((old, pair.old), (new, pair.new)):
            difference = panel.unlike(panel_of(run.origin))
            if difference:
                yield f"judges link: {run.origin.run} is of another panel: {difference}. Give OLD_RUN NEW_RUN ..."
    models = {pair.old.origin.model for pair in pairs}
    if len(models) < LEAST_MODELS:
        yield f"judges link: the runs are of {len(models)} models (at least {LEAST_MODELS} different ones)."
    for key in comparable.retold([run.origin for pair in pairs for run in (pair.old, pair.new)]):
        yield f"judges link: what judges are told of guideline {key} differs between the runs."
