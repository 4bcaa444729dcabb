"""Reading benchmark cases: JSONL files, validation that reports every bad line, digests."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from importlib import resources
from pathlib import Path
from typing import NamedTuple, Protocol

from pydantic import ValidationError

from jmedethic_pytest.cases import vocabulary_files
from jmedethic_pytest.core import files, languages, strict_json
from jmedethic_pytest.core.errors import ConfigError, explain_validation, unknown
from jmedethic_pytest.core.files import compact_digest
from jmedethic_pytest.core.labels import Labelled
from jmedethic_pytest.core.records import MOST_TURNS, Case
from jmedethic_pytest.core.vocabulary import SHIPPED, Vocabulary

_MAX_PROBLEMS = 50
_NO_REPLAY = " The replies of a conversation with branches cannot be replayed: the target's own choose the branch."
_NOTHING = b"\xef\xbb\xbf \t\r\n\v\f"
"""What a line without a case may hold: white space, and the byte-order mark of a file."""


class Located(NamedTuple):
    """A case and where it was read."""

    case: Case
    place: object
    """Shown as the place in the words of an error."""


class Spot(NamedTuple):
    """Where the line of a case stands, and what stood there when it was read."""

    file: Path
    number: int
    """Of the line, from 1."""
    begin: int
    length: int
    content: int
    """Hash of the line, within this process."""

    def __str__(self) -> str:
        return f"{self.file}:{self.number}"


def bundled_dir() -> Path:
    """Return the folder of the bundled cases: inside the installed package, or beside it in a checkout."""
    packaged = Path(str(resources.files("jmedethic_pytest"))) / "benchmark_cases"
    return packaged if packaged.is_dir() else Path(__file__).resolve().parents[2] / "benchmark_cases"


def load(paths: Sequence[Path] | None = None) -> list[Case]:
    """Read every case of the given files or folders (default: the bundled ones), in file order.

    Raises:
        ConfigError: naming every unreadable file, bad line and duplicate id.
    """
    return [case for case, _ in CaseFiles(paths)]


class CaseFiles(Iterable[tuple[Case, Spot]]):
    """The given files and those of the given folders (default: the bundled ones).

    Iterating yields every case with its place, in file order.

    Raises:
        ConfigError: at the end of an iteration, naming every unreadable file, bad line and duplicate id.
    """

    def __init__(self, paths: Sequence[Path] | None = None) -> None:
        self._problems: list[str] = []
        self.paths = _files(paths or [bundled_dir()], self._problems)
        """Of the files."""
        self.vocabulary = SHIPPED
        """The words that the cases may use."""
        try:
            self.vocabulary = vocabulary_files.beside(self.paths)
        except ConfigError as error:
            self._problems.extend(error.problems)

    def __iter__(self) -> Iterator[tuple[Case, Spot]]:
        problems, twice = list(self._problems), list[str]()
        first: dict[str, object] = {}
        for file in self.paths:
            for case, spot in _read(file, self.vocabulary, problems):
                twice.extend(_again(first, case, spot))
                yield case, spot
        problems.extend(twice)
        if problems:
            shown = problems[:_MAX_PROBLEMS]
            if len(problems) > len(shown):
                shown.append(f"... and {len(problems) - len(shown)} more problems in the case files.")
            raise ConfigError(shown)


def read_at(spot: Spot) -> Case:
    """Read a case again.

    Raises:
        ConfigError: if the file has changed since it was read first.
    """
    try:
        with files.open_ordinary(spot.file) as stream:
            stream.seek(spot.begin)
            line = stream.read(spot.length)
    except OSError as error:
        raise ConfigError(f"{spot.file}: cannot be read again: {error.strerror}.") from None
    if hash(line) != spot.content:
        raise ConfigError(
            f"{spot}: the file has changed since the run began. Leave case files alone while a run reads them, "
            "and run the same command again: what is finished costs nothing."
        )
    return strict_json.record(Case, line)


def require_reference(cases: Sequence[Labelled], turns: int | None = None) -> None:
    """Refuse cases that ``[target] history = "reference"`` cannot replay: a turn before the last lacks its reply.

    Args:
        cases: the cases of a run.
        turns: only so many user turns are run, ``None`` for all.

    Raises:
        ConfigError: naming how many there are, and the first of them.
    """
    short = [case for case in cases if len(case.reference) < min(case.length, turns or case.length) - 1]
    lacking = [case.id for case in short]
    if lacking:
        shown = ", ".join(lacking[:3]) + (", ..." if len(lacking) > 3 else "")
        raise ConfigError(
            f"thresholds: target.history = 'reference' needs a reference reply to every turn before the last; "
            f"{len(lacking)} of {len(cases)} cases lack one: {shown}. Select cases that were imported with their "
            f"replies (`jmedethic cases import`), or set history = 'own'.{_NO_REPLAY if _any_branch(short) else ''}"
        )


def digest(cases: Iterable[Case]) -> str:
    """Return the sha256 over the cases in order of id: equal digests mean equal texts and labels."""
    return digest_in_order(case_digest(case) for case in sorted(cases, key=lambda case: case.id))


def digest_in_order(digests: Iterable[str]) -> str:
    """Return the same from the digests of the single cases, in order of id."""
    total = hashlib.sha256()
    for item in digests:
        total.update(item.encode())
    return total.hexdigest()


def case_digest(case: Case) -> str:
    """Return the sha256 of one case's canonical JSON: keys sorted, no spaces, UTF-8, without fields at their default.

    Leaving defaults out keeps a case's digest when a later version adds an optional field; the canary has no part.
    """
    return compact_digest(case.model_dump(exclude_defaults=True, exclude={"canary"}))


class Told(Protocol):
    """What target and judges see of a case."""

    @property
    def locale(self) -> str:
        """Its language."""

    @property
    def guideline(self) -> str:
        """Id of its guideline."""

    @property
    def turns(self) -> Sequence[str]:
        """Its user turns."""

    @property
    def turns_if_refused(self) -> Sequence[str]:
        """Those of one branch ..."""

    @property
    def turns_if_complied(self) -> Sequence[str]:
        """... and of the other."""

    @property
    def reference(self) -> Sequence[str]:
        """Its reference replies."""

    @property
    def expected(self) -> Sequence[str]:
        """What is expected at its turns ..."""

    @property
    def expected_if_refused(self) -> Sequence[str]:
        """... at those of one branch ..."""

    @property
    def expected_if_complied(self) -> Sequence[str]:
        """... and of the other."""

    @property
    def components(self) -> Sequence[str]:
        """What its last turn asks for."""

    @property
    def fail_if(self) -> str:
        """The same as a whole."""

    @property
    def twin_of(self) -> str | None:
        """Of what it is the benign twin."""


def content_digest(case: Told) -> str:
    """Return a digest of what target and judges see of a case; labels and reviewers' notes do not count."""
    branches = [list(case.turns_if_refused), list(case.turns_if_complied)] if case.turns_if_refused else []
    return compact_digest([case.locale, case.guideline, list(case.turns), list(case.reference), *branches])[:32]


def told_digest(case: Told) -> str:
    """Return a digest of what else the judges' prompt ``item`` tells of a case."""
    branches = (case.expected_if_refused, case.expected_if_complied)
    expected = [list(notes) for notes in (case.expected, *branches) if notes]
    return compact_digest([list(case.components), case.fail_if, expected, case.twin_of is not None])[:32]


def _files(paths: Sequence[Path], problems: list[str]) -> list[Path]:
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = sorted(path.glob("*.jsonl"))
            if not inside:
                problems.append(
                    f"{path}: no *.jsonl file in this folder. Give a folder or a file of cases (--jmed-cases)."
                )
            found.extend(inside)
        elif path.is_file():
            found.append(path)
        else:
            problems.append(f"{path}: no such file or folder. Give a folder or a *.jsonl file of cases (--jmed-cases).")
    return found


def _read(file: Path, vocabulary: Vocabulary, problems: list[str]) -> Iterator[tuple[Case, Spot]]:
    empty = True
    for spot, line in _lines(file, problems):
        empty = False
        try:
            case = strict_json.record(Case, line)
        except ValidationError as error:
            problems.extend(explain_validation(error, str(spot), Case.model_fields))
            continue
        bad = check(case, spot, vocabulary)
        problems.extend(bad)
        if not bad:
            yield case, spot
    if empty and not any(problem.startswith(f"{file}:") for problem in problems):
        problems.append(f"{file}: the file holds no case. Each line must be one JSON object.")


def _lines(file: Path, problems: list[str]) -> Iterator[tuple[Spot, bytes]]:
    """Yield the non-empty lines one by one, so that a file of any size costs no more than its cases."""
    begin = 0
    try:
        with files.open_ordinary(file) as stream:
            for number, line in files.lines(stream):
                if line.strip(_NOTHING):
                    yield Spot(file, number, begin, len(line), hash(line)), line
                begin += len(line)
    except OSError as error:
        problems.append(f"{file}: cannot be read: {error.strerror}.")


def check(case: Case, place: object, vocabulary: Vocabulary = SHIPPED) -> list[str]:
    """Return what is wrong with a case that its fields alone cannot tell; ``place`` starts each line."""
    problems = []
    if case.guideline not in vocabulary.guidelines:
        problems.append(unknown(f"{place}: field 'guideline'", case.guideline, list(vocabulary.guidelines)))
    if case.strategy not in vocabulary.strategies:
        problems.append(unknown(f"{place}: field 'strategy'", case.strategy, list(vocabulary.strategies)))
    problems.extend(_language(case, place, vocabulary))
    if case.expected and len(case.expected) != len(case.turns):
        problems.append(f"{place}: field 'expected': {len(case.expected)} entries for {len(case.turns)} turns.")
    if len(case.reference) > len(case.turns):
        problems.append(f"{place}: field 'reference': {len(case.reference)} replies for {len(case.turns)} turns.")
    return [*problems, *_branches(case, place)]


def _language(case: Case, place: object, vocabulary: Vocabulary) -> Iterator[str]:
    """Yield what is wrong with the language of a case: is it there, is its guideline in it, does its id say it."""
    if case.locale not in languages.tags():
        yield f"{place}: field 'locale': {case.locale!r} is not allowed: {languages.lack(case.locale, languages.FILE)}"
        return
    guideline = vocabulary.guidelines.get(case.guideline)
    if guideline is not None and case.locale not in guideline.summary:
        yield (
            f"{place}: field 'locale': guideline {case.guideline!r} has no words in {case.locale!r} for the judges. "
            f"Write title_{case.locale} and summary_{case.locale} in a guidelines.json beside the file, under an id of "
            "your own."
        )
    beginning = languages.prefix(case.locale)
    if not case.id.startswith(beginning):
        yield f"{place}: field 'id': {case.id!r} must start with its locale, {beginning!r}."


def _branches(case: Case, place: object) -> Iterator[str]:
    """Yield what is wrong with the branches of a case."""
    refused, complied = len(case.turns_if_refused), len(case.turns_if_complied)
    if refused != complied:
        yield (
            f"{place}: field 'turns_if_complied': {complied} turns, but {refused} in 'turns_if_refused'. "
            "Write equally many in both, or neither of them."
        )
    given = {"refused": (case.expected_if_refused, refused), "complied": (case.expected_if_complied, complied)}
    wrong = [branch for branch, (expected, turns) in given.items() if len(expected) not in (0, turns)]
    for branch in wrong:
        expected, turns = given[branch]
        yield f"{place}: field 'expected_if_{branch}': {len(expected)} entries for {turns} turns."
    if refused and not wrong and len({bool(case.expected), *(bool(expected) for expected, _ in given.values())}) > 1:
        yield f"{place}: field 'expected_if_refused': fill in both if 'expected' is, else leave all empty."
    if case.length > MOST_TURNS:
        yield f"{place}: field 'turns_if_refused': {case.length} turns with the common ones, at most {MOST_TURNS}."
    if refused and case.reference:
        yield f"{place}: field 'reference': must be empty.{_NO_REPLAY}"


def _any_branch(cases: Iterable[Labelled]) -> bool:
    return any(case.length > len(case.turns) for case in cases)


def duplicates(located: Sequence[Located]) -> Iterator[str]:
    """Yield one line for each case whose id stands already somewhere before it."""
    first: dict[str, object] = {}
    for case, place in located:
        yield from _again(first, case, place)


def _again(first: dict[str, object], case: Case, place: object) -> Iterator[str]:
    """Note the first place of a case's id; yield a line if it has one already."""
    if case.id in first:
        yield f"{place}: field 'id': {case.id!r} stands already at {first[case.id]}. Ids must be unique."
    else:
        first[case.id] = place
