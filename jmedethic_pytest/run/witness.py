"""Are a run's transcripts those that were stored, and those of the run they are said to be of?"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from jmedethic_pytest.core import transcripts
from jmedethic_pytest.core.errors import StoreError
from jmedethic_pytest.core.run_info import RunInfo
from jmedethic_pytest.core.text import is_redacted
from jmedethic_pytest.store import runs as run_files
from jmedethic_pytest.store.transcripts import StoredTranscripts, open_transcripts

_SHOWN = 3


def doubts(path: Path, info: RunInfo) -> Iterator[str]:
    """Yield what speaks against the transcripts of a run, in words; nothing of an older run that kept no digests.

    Args:
        path: the run's folder; a run whose replies it scored must lie beside it.
        info: what it was.

    Raises:
        StoreError: if it cannot be read.
    """
    kept, edited = dict[str, str](), list[str]()
    for verdict in run_files.read_verdicts(path):
        kept[verdict.key] = verdict.transcript
        redacted = any(is_redacted(turn.reply.text) for turn in verdict.turns)
        if verdict.turns and not redacted and verdict.transcript != transcripts.digest(verdict):
            edited.append(verdict.key)
    if "transcripts" in info.digests and (edited or info.digests["transcripts"] != transcripts.digest_of_all(kept)):
        yield f"{len(edited) or 'some'} transcripts are not those that were stored: {_some(edited) or 'exchanged'}"
    if info.transcripts_of is not None:
        yield from _of_another(path, info, kept)


def _of_another(path: Path, info: RunInfo, kept: dict[str, str]) -> Iterator[str]:
    """Yield how the scored replies are not those of the run that is named as theirs."""
    assert info.transcripts_of is not None
    name = info.transcripts_of.run
    said = f"the replies are said to be those of run {name}"
    folder = path.parent / name
    if not (folder / "run.json").is_file():
        yield f"{said}, which is not in {path.parent}: put its folder there"
        return
    try:
        there = open_transcripts(folder)
    except StoreError as error:
        yield f"{said}: {error}"
        return
    if not there.source.attested:
        yield f"{said}, which kept no digests of them: nobody can tell whether they were edited"
    other = [key for key in {**kept, **there.digests} if kept.get(key) != there.digests.get(key)]
    if other:
        yield f"{said}, and {len(other)} are not: {_some(other)}"
    for what in _told_otherwise(info, there):
        yield f"{said}, and of its {what} something else is told there"


def _told_otherwise(info: RunInfo, there: StoredTranscripts) -> Iterator[str]:
    """Yield what the two runs do not say alike of the target and its cases."""
    then, source = there.info, info.transcripts_of
    for what in ("target", "selection", "replies_of", "replayed"):
        if getattr(info, what) != getattr(then, what):
            yield what
    for what in ("listed", "probes", "changes"):
        if getattr(info.identity, what) != getattr(then.identity, what):
            yield f"identity.{what}"
    told = (then.id, then.git_commit, then.finished)
    if source is not None and (source.run, source.git_commit, source.finished) != told:
        yield "id, commit or end"


def _some(keys: list[str]) -> str:
    return ", ".join(sorted(keys)[:_SHOWN]) + (", ..." if len(keys) > _SHOWN else "")
