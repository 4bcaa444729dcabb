"""The strategy library: what was found, how it is defined, and how well it worked where. JSON, versioned, never pickle.

An example is known by the digests of its texts alone; the texts themselves, which are attack material, are kept only if
the user asks for them. Two findings are the same strategy if their names are equal apart from case, width, spaces and
punctuation, or if their definitions say nearly the same; the definition that came first stays.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, StringConstraints, ValidationError

from jmedethic_pytest.core import files, strict_json
from jmedethic_pytest.core.errors import StoreError
from jmedethic_pytest.core.languages import Locale
from jmedethic_pytest.core.records import Record, Text
from jmedethic_pytest.generation.discovery.embeddings import Vector, checked, cosines, matrix
from jmedethic_pytest.generation.discovery.scales import Gain, mean_gain

SCHEMA_VERSION = 1
SAME_DEFINITION = 0.9
"""Definitions at least this similar are the same strategy under another name. With n-grams: a few words differ."""
NOTICE = (
    "CONTENT WARNING: strategies that make language models less safe, found automatically. For testing models you are "
    "allowed to test; not for publication as it is. Texts of attacks are stored as digests unless they were asked for."
)

Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Packed = Annotated[Vector, AfterValidator(checked)]
Phase = Literal["paper", "warm-up", "lifelong"]


class Example(Record):
    """One pair of attempts that showed a strategy: the stronger one used it, the weaker one did not."""

    strong: Digest
    """sha256 of the stronger attempt's user turns (JSON list)."""
    weak: Digest
    """The same of the weaker attempt, or of the raw request."""
    gain: Gain
    key: Packed
    """Packed vector of the target's reply to the **weaker** attempt: a reply like it is where the strategy helps."""
    question: Text
    """Id of the question."""
    phase: Phase
    text: tuple[Text, ...] = ()
    """User turns of the stronger attempt; only if texts were asked for."""

    @property
    def identity(self) -> tuple[str, str, str]:
        """What makes two examples the same one."""
        return self.question, self.strong, self.weak


class Strategy(Record):
    """A way of leading a conversation that made a target less safe."""

    name: Text
    definition: Text
    locale: Locale
    """Language of name and definition."""
    meaning: Packed
    """Packed vector of the definition."""
    aliases: tuple[Text, ...] = ()
    """Other names it was found under, in the order they came."""
    examples: tuple[Example, ...] = Field(min_length=1)

    @property
    def mean_gain(self) -> Gain:
        """Mean gain of its examples."""
        found = mean_gain([example.gain for example in self.examples])
        assert found is not None, "a strategy has an example"
        return found


class Origin(Record):
    """How a library came about: enough to tell whether another run would continue it."""

    mode: Literal["paper", "turbo"]
    models: dict[str, str]
    """Model by role."""
    prompts: str
    """Digest of the prompts."""
    seed: int
    questions: str
    """Digest of the questions in their order."""
    tool_version: str


class Library(Record):
    """All strategies of a discovery, in the order they were found."""

    schema_version: Literal[1] = 1
    notice: str = NOTICE
    licence: str = ""
    simulated: bool = False
    """True if any model was a demo simulation: the strategies mean nothing."""
    embedder: Text
    """Name of the embedder; its vectors cannot be compared with another one's."""
    origin: Origin | None = None
    strategies: tuple[Strategy, ...] = ()

    def digest(self) -> str:
        """Return the sha256 of the strategies and their examples: equal digests mean equal libraries."""
        content = [self.embedder, [item.model_dump(mode="json") for item in self.strategies]]
        return files.digest(content)

    def with_all(self, found: Iterable[Strategy], limit: float = SAME_DEFINITION) -> Library:
        """Return the library after adding findings one by one (see :class:`Collection`)."""
        collected = Collection(self.strategies, limit)
        for item in found:
            collected.add(item)
        return self.model_copy(update={"strategies": collected.strategies})


class Collection:
    """Strategies while they are being collected.

    A finding with a known name, or nearly a known definition, gives its examples (and its name, if it is another one)
    to the strategy that is known; anything else is new. Adding the same finding twice changes nothing.

    Args:
        known: the strategies so far.
        limit: similarity of definitions from which on they are the same.
    """

    def __init__(self, known: Iterable[Strategy] = (), limit: float = SAME_DEFINITION) -> None:
        self._limit = limit
        self._firsts: list[Strategy] = []
        """Each strategy as it came first."""
        self._names: dict[str, int] = {}
        self._aliases: list[list[str]] = []
        self._examples: list[dict[tuple[str, str, str], Example]] = []
        for item in known:
            self._new(item)

    @property
    def strategies(self) -> tuple[Strategy, ...]:
        """What is collected, in the order it came."""
        return tuple(
            first.model_copy(update={"aliases": tuple(aliases), "examples": tuple(examples.values())})
            for first, aliases, examples in zip(self._firsts, self._aliases, self._examples, strict=True)
        )

    def add(self, found: Strategy) -> None:
        """Add a finding."""
        place = self._place(found)
        if place is None:
            self._new(found)
            return
        for name in (found.name, *found.aliases):
            if normal_name(name) not in self._names:
                self._names[normal_name(name)] = place
                self._aliases[place].append(name)
        for example in found.examples:
            self._examples[place].setdefault(example.identity, example)

    def _new(self, item: Strategy) -> None:
        for name in (item.name, *item.aliases):
            self._names.setdefault(normal_name(name), len(self._firsts))
        self._firsts.append(item)
        self._aliases.append(list(item.aliases))
        self._examples.append({example.identity: example for example in item.examples})

    def _place(self, found: Strategy) -> int | None:
        """Return where the same strategy stands: by name first, else the one with the most similar definition."""
        by_name = [self._names[name] for name in map(normal_name, (found.name, *found.aliases)) if name in self._names]
        if by_name or not self._firsts:
            return min(by_name, default=None)
        alike = cosines(matrix([found.meaning]), matrix([item.meaning for item in self._firsts]))[0]
        best = int(alike.argmax())
        return best if alike[best] >= self._limit else None


def normal_name(name: str) -> str:
    """Return a name without what does not make it another one: width, case, spaces and punctuation."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    kept = "".join(character for character in folded if character.isalnum())
    return kept or folded.strip()


def write(library: Library, path: Path) -> None:
    """Write the file at one stroke.

    Raises:
        StoreError: if it cannot be written.
    """
    files.replace(path, files.as_json(library.model_dump(mode="json")))


def read(path: Path) -> Library:
    """Read a library.

    Raises:
        StoreError: if it is missing, damaged, or was written by a newer version.
    """
    try:
        data = strict_json.value(files.read(path))
    except OSError as error:
        step = "Next: jmedethic generate discover."
        raise StoreError(f"{path}: the library cannot be read: {error.strerror}. {step}") from None
    except ValueError as error:
        raise StoreError(f"{path}: damaged: not valid JSON: {error}.") from None
    _check_version(path, data)
    try:
        return Library.model_validate(data)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or "the file"
        raise StoreError(f"{path}: damaged: {field}: {first['msg']}.") from None


def _check_version(path: Path, data: Any) -> None:
    version = data.get("schema_version") if isinstance(data, dict) else None
    if isinstance(version, int) and version > SCHEMA_VERSION:
        raise StoreError(
            f"{path}: written by a newer version (schema {version}, this one reads {SCHEMA_VERSION}). "
            "Upgrade jmedethic-pytest."
        )
    if version != SCHEMA_VERSION:
        raise StoreError(f"{path}: no strategy library: field 'schema_version' must be {SCHEMA_VERSION}.")
