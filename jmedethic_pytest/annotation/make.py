"""A study from a stored run: what can be drawn, the sample, and the folder with the key and everybody's sheets."""

from __future__ import annotations

import re
import secrets
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Literal, NamedTuple, get_args

from jmedethic_pytest import _version
from jmedethic_pytest.annotation import sampling, sheets, study
from jmedethic_pytest.annotation.sampling import Candidate
from jmedethic_pytest.annotation.study import Annotator, Shown, Study
from jmedethic_pytest.core import files
from jmedethic_pytest.core.errors import ConfigError, StoreError
from jmedethic_pytest.core.languages import INTERFACE, Locale
from jmedethic_pytest.core.records import Verdict
from jmedethic_pytest.core.text import is_redacted
from jmedethic_pytest.judging import rubric
from jmedethic_pytest.store import runs as run_files

_PATTERN = re.compile(get_args(Annotator)[1].pattern)
_OTHER = "in another language"


class Wanted(NamedTuple):
    """What a study is to be like."""

    conversations: int
    people: tuple[str, ...]
    """Two who score everything, and perhaps the third, who decides between them."""
    seed: int = 0
    again: int = 10
    """Conversations that everybody is shown twice."""
    locales: tuple[Locale, ...] = INTERFACE
    at_random: bool = False
    """Draw every conversation with the same chance instead of by band."""
    like: Study | None = None
    """A study of another run whose conversations are taken instead, so that the two runs can be compared."""


def check(wanted: Wanted) -> None:
    """Refuse what no study can be made of.

    Raises:
        ConfigError: naming everything that is wrong.
    """
    problems = [
        f"--annotators: {name!r} is not allowed. Write initials or a short name: letters, digits, - and _."
        for name in wanted.people
        if not _PATTERN.fullmatch(name)
    ]
    if not 2 <= len(wanted.people) <= 3 or len({name.casefold() for name in wanted.people}) < len(wanted.people):
        problems.append(
            f"--annotators: {','.join(wanted.people)!r} are not two or three different people. Two score everything; "
            "a third one decides where they differ: --annotators a,b,c."
        )
    if wanted.conversations < sampling.LEAST:
        problems.append(f"-n: {wanted.conversations} is not allowed; {sampling.LEAST} or more, 100 advised.")
    if wanted.at_random and wanted.like is not None:
        problems.append("--random: not together with --like, which takes the conversations of another study.")
    if not 0 <= wanted.again <= wanted.conversations:
        problems.append(f"--again: {wanted.again} is not allowed; 0 to {wanted.conversations}, 10 advised.")
    if problems:
        raise ConfigError(problems)


def make(run: Path, folder: Path, wanted: Wanted) -> Study:
    """Draw the sample of a stored run and write key and sheets into a new folder that only its owner can open.

    Raises:
        ConfigError: if the folder holds something already.
        StoreError: if the run cannot be read or holds no texts, has too few conversations, or nothing can be written.
    """
    check(wanted)
    info = run_files.read_info(run)
    candidates, left_out = _candidates(run, wanted.locales)
    if len(candidates) < sampling.LEAST:
        reasons = ", ".join(f"{count} {reason}" for reason, count in left_out.items()) or "nothing left out"
        read = f" People read {', '.join(wanted.locales)}: name other languages with --locale."
        raise StoreError(
            f"{run.name}: {len(candidates)} conversations can be scored by people ({reasons}); "
            f"at least {sampling.LEAST} are needed. Choose a larger run.{read if _OTHER in left_out else ''}"
        )
    drawn = _drawn(run, list(candidates), wanted)
    texts = _texts(run, candidates, drawn.keys)
    name = f"study-{secrets.token_hex(4)}"
    twice = sampling.repeated(list(texts), wanted.again, wanted.seed)
    first, second = wanted.people[:2]
    key = Study(
        id=name,
        created=run_files.now(),
        tool_version=_version.VERSION,
        run=info.id,
        simulated=info.simulated,
        prompts=info.digests["prompts"],
        rubric=files.compact_digest(rubric.whole()),
        seed=wanted.seed,
        locales=wanted.locales,
        design=_design(wanted),
        like="" if wanted.like is None else wanted.like.id,
        frame=drawn.frame,
        left_out=left_out,
        bands=drawn.bands,
        items=sampling.items(drawn, list(candidates), texts),
        annotators=(first, second),
        third=wanted.people[2] if len(wanted.people) > 2 else None,
        sheets={who: sampling.order(name, who, list(texts), twice, wanted.seed) for who in (first, second)},
    )
    _make_folder(folder)
    study.write(folder, key)
    for who in key.annotators:
        sheets.write(folder, key, who, texts, info.words)
    return key


def _drawn(run: Path, candidates: Sequence[Candidate], wanted: Wanted) -> sampling.Drawn:
    like = wanted.like
    if like is None:
        draw = sampling.draw_at_random if wanted.at_random else sampling.draw
        return draw(candidates, wanted.conversations, wanted.seed)
    lacking = sorted(like.frame.keys() - {item.key for item in candidates})
    if lacking:
        raise StoreError(
            f"{run.name}: {len(lacking)} conversations of study {like.id} have no complete score in this run "
            f"({', '.join(lacking[:3])}{', ...' if len(lacking) > 3 else ''}): the two cannot be compared. Choose a "
            "run of the same cases."
        )
    return sampling.Drawn(like.bands, like.frame, [item.key for item in like.items])


def _design(wanted: Wanted) -> Literal["banded", "random"]:
    if wanted.like is not None:
        return wanted.like.design
    return "random" if wanted.at_random else "banded"


def read_texts(run: Path, key: Study, wanted: Iterable[str]) -> dict[str, Shown]:
    """Read again what people are shown of these conversations.

    Raises:
        StoreError: if the run no longer holds it as it was.
    """
    chosen, found = set(wanted), {}
    for verdict in run_files.read_verdicts(run):
        if verdict.key in chosen:
            found[verdict.key] = study.shown(verdict)
    items = key.by_key
    for name in sorted(chosen):
        if name not in found or found[name].digest() != items[name].digest:
            raise StoreError(
                f"{run}: the conversation {name} is not what it was when it was drawn. Put the run's files back."
            )
    return found


def _candidates(run: Path, locales: Sequence[str]) -> tuple[dict[Candidate, run_files.Place], dict[str, int]]:
    found: dict[Candidate, run_files.Place] = {}
    left_out: Counter[str] = Counter()
    for verdict, place in run_files.read_places(run):
        _refuse_redacted(verdict, run)
        reason = _unfit(verdict, locales)
        if reason:
            left_out[reason] += 1
            continue
        case = verdict.case
        lowest = min(score for score in verdict.turn_scores if score is not None)
        found[Candidate(verdict.key, lowest, case.guideline, case.strategy, case.locale)] = place
    left_out["never reached"] = sum(1 for _ in run_files.read_unevaluated(run))
    return found, {reason: count for reason, count in sorted(left_out.items()) if count}


def _unfit(verdict: Verdict, locales: Sequence[str]) -> str:
    if verdict.case.twin_of is not None:
        return "benign twins"
    if verdict.case.locale not in locales:
        return _OTHER
    return "" if verdict.status == "scored" and verdict.mean is not None else "without a complete score"


def _refuse_redacted(verdict: Verdict, run: Path) -> None:
    if any(is_redacted(turn.reply.text) for turn in verdict.turns):
        raise StoreError(
            f"{run.name}: the run holds digests in place of its texts (redact): there is nothing that people could "
            "read. Run it again without redaction, on a machine where the texts may stay."
        )


def _texts(run: Path, candidates: dict[Candidate, run_files.Place], keys: Sequence[str]) -> dict[str, Shown]:
    places = {candidate.key: place for candidate, place in candidates.items()}
    read: Iterator[Verdict] = run_files.read_at(run, [places[key] for key in keys])
    return {verdict.key: study.shown(verdict) for verdict in read}


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, mode=0o700, exist_ok=True)
        if any(folder.iterdir()):
            raise ConfigError(f"--out: {folder} holds something already. Give a new folder: a study is never mixed.")
        folder.chmod(0o700)
    except OSError as error:
        raise StoreError(f"{folder}: cannot be made: {error.strerror}. Give another folder (--out).") from None
