"""The conversations of a stored run, to be scored by other judges: found sound, then read again one by one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from jmedethic_pytest.cases.files import Spot
from jmedethic_pytest.cases.index import CaseIndex, Label, label, stamp
from jmedethic_pytest.core import transcripts
from jmedethic_pytest.core.errors import StoreError
from jmedethic_pytest.core.records import Case, Verdict
from jmedethic_pytest.core.run_info import RunInfo, TranscriptsOf
from jmedethic_pytest.core.text import is_redacted
from jmedethic_pytest.store import runs as run_files
from jmedethic_pytest.store.runs import Place

_SHOWN = 3


@dataclass(frozen=True)
class StoredTranscripts:
    """The conversations of a complete run, none of which was changed or is without its texts."""

    path: Path
    """The run's folder."""
    info: RunInfo
    cases: CaseIndex
    """The cases as they were asked then."""
    digests: Mapping[str, str]
    """sha256 of every conversation, by its key."""
    source: TranscriptsOf
    """What a run that scores them records."""
    _places: Mapping[str, Place] = field(repr=False)

    def read(self, key: str) -> Verdict:
        """Read a conversation.

        Raises:
            StoreError: if it cannot be read, or has changed since it was looked at.
        """
        found = next(run_files.read_at(self.path, [self._places[key]]))
        if transcripts.digest(found) != self.digests[key]:
            raise StoreError(f"{self.path}: {key} has changed while it was read. Leave the run alone meanwhile.")
        return found


class _Doubts:
    """What is wrong with the conversations of a run, by kind."""

    def __init__(self) -> None:
        self.redacted: list[str] = []
        self.empty: list[str] = []
        self.edited: list[str] = []

    def look(self, verdict: Verdict, digest: str, *, attested: bool) -> None:
        texts = [turn.reply.text for turn in verdict.turns if turn.reply.status == "ok"]
        if any(map(is_redacted, texts)):
            self.redacted.append(verdict.key)
        elif not all(texts):
            self.empty.append(verdict.key)
        elif verdict.transcript != digest and (attested or verdict.transcript):
            self.edited.append(verdict.key)

    def words(self, total: int) -> Iterator[str]:
        for keys, what in (
            (self.redacted, "hold digests in the place of texts (--jmed-redact), which nobody can score"),
            (self.empty, "lack the text of a reply"),
            (self.edited, "were edited after they had been stored: their digests do not fit"),
        ):
            if keys:
                shown = ", ".join(keys[:_SHOWN]) + (", ..." if len(keys) > _SHOWN else "")
                yield f"{len(keys)} of {total} conversations {what}: {shown}"


def open_transcripts(path: Path) -> StoredTranscripts:
    """Read a run for its conversations.

    Args:
        path: the run's folder.

    Raises:
        StoreError: if it did not come to its end, was redacted, or conversations are missing or were edited.
    """
    info = run_files.read_info(path)
    if info.status != "complete":
        way = ", without --jmed-early," if info.stopped_early else ""
        raise StoreError(
            f"{path}: the run is {info.stopped_early or info.status}, so not all of its conversations are there. The "
            f"command that made it{way} goes on with it: {' '.join(info.command)}"
        )
    kept = info.digests.get("transcripts")
    doubts, digests, places, labels = _Doubts(), dict[str, str](), dict[str, Place](), dict[str, Label]()
    file = path / run_files.VERDICTS
    for verdict, place in run_files.read_places(path):
        case = verdict.case
        labels.setdefault(case.id, label(case, Spot(file, 0, place.begin, place.length, 0), case.suites))
        digests[verdict.key] = transcripts.digest(verdict)
        places[verdict.key] = place
        doubts.look(verdict, digests[verdict.key], attested=kept is not None)
    problems = list(doubts.words(len(digests)))
    whole = transcripts.digest_of_all(digests)
    known = {kept, info.transcripts_of.transcripts if info.transcripts_of is not None else None} - {None, whole}
    if not problems and (len(digests) < info.selected or known):
        problems.append(
            f"{len(digests)} of {info.selected} conversations are there, or some were put in place of others"
        )
    if problems:
        raise StoreError(f"{path}: {'; '.join(problems)}. Next: restore the folder, or make the run again.")
    return StoredTranscripts(
        path=path,
        info=info,
        cases=CaseIndex(labels.values(), info.words, stamps={file: stamp(file)}, read=lambda spot: _case(path, spot)),
        digests=digests,
        source=_source(info, whole, attested=kept is not None),
        _places=places,
    )


def _case(path: Path, spot: Spot) -> Case:
    return next(run_files.read_at(path, [Place(spot.begin, spot.length)])).case


def _source(info: RunInfo, whole: str, *, attested: bool) -> TranscriptsOf:
    """Return whose replies they are: of a run that scored another's, that other run's."""
    if info.transcripts_of is not None:
        return info.transcripts_of.model_copy(update={"attested": attested and info.transcripts_of.attested})
    return TranscriptsOf(
        run=info.id,
        finished=info.finished,
        tool_version=info.tool_version,
        git_commit=info.git_commit,
        judges=tuple(judge["model"] for judge in info.judges),
        prompts=info.digests["prompts"],
        transcripts=whole,
        attested=attested,
    )
