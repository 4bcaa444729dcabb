"""Which column of a foreign file holds what: the built-in mappings and your own.

A mapping file for ``--format table`` is TOML. Only ``columns.turns`` must be there::

    prefix = "acme"                       # stands in every id: en-acme-17
    [columns]                             # field of a case = column name
    turns = ["q1", "q2", "q3"]            # a column for each turn, or one that holds a list, messages or a single text
    reference = ["a1", "a2"]              # replies of the data set; found by themselves where `turns` holds messages
    id = ["topic", "number"]              # several columns are joined; without it a digest of the text is the id
    guideline = "topic"
    strategy = "attack"                   # an id, slug or name of ours, or a word listed below
    locale = "lang"                       # without it the script decides
    question = "goal"
    tags = ["topic", "source"]            # `_file` is the name of the file
    # also: expected, fail_if, persona, harm_class
    [values.strategy]                     # the file's word = ours
    "Role Play" = "S5"
    [values.guideline]
    privacy = "JMA-17"
    [defaults]                            # for rows that say nothing; the options of the command win
    locale = "en"
    guideline = "other"
    strategy = "other"
    [source]                              # printed, and written beside the cases
    title = "Acme red-team set"
    licence = "internal use only"
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import PydanticCustomError

from jmedethic_pytest.cases.exchange import words
from jmedethic_pytest.cases.exchange.rows import FILE_COLUMN
from jmedethic_pytest.core import toml
from jmedethic_pytest.core.errors import ConfigError, did_you_mean, explain_validation
from jmedethic_pytest.core.languages import Present
from jmedethic_pytest.core.vocabulary import SHIPPED, HarmClass, Persona

Names = Annotated[tuple[str, ...], BeforeValidator(lambda given: (given,) if isinstance(given, str) else given)]
BuiltIn = Literal["official", "safedialbench", "medsafetybench", "jailbreakbench"]


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Columns(_Table):
    """``[columns]``: for each field of a case the column names, in order."""

    turns: Annotated[Names, Field(min_length=1)]
    reference: Names = ()
    id: Names = ()
    guideline: Names = ()
    """The first column whose value is understood counts."""
    strategy: Names = ()
    locale: Names = ()
    question: Names = ()
    expected: Names = ()
    fail_if: Names = ()
    persona: Names = ()
    harm_class: Names = ()
    tags: Names = ()

    def used(self) -> dict[str, tuple[str, ...]]:
        """Return the fields that have columns."""
        return {name: names for name, names in self if names}


def _guideline(given: str) -> str:
    found = words.guideline(given, numbers=True)
    if found is None:
        raise PydanticCustomError("guideline", "give JMA-01 ... JMA-67, one of our titles, or 'other'")
    return found


def _strategy(given: str) -> str:
    found = words.strategy(given)
    if found is None:
        known = ", ".join(SHIPPED.strategies)
        raise PydanticCustomError("strategy", f"give an id ({known}), a slug or a name")
    return found


GuidelineName = Annotated[str, AfterValidator(_guideline)]
StrategyName = Annotated[str, AfterValidator(_strategy)]


class Values(_Table):
    """``[values.FIELD]``: the file's words and what they mean here."""

    locale: dict[str, Present] = {}
    guideline: dict[str, GuidelineName] = {}
    strategy: dict[str, StrategyName] = {}
    persona: dict[str, Persona] = {}
    harm_class: dict[str, HarmClass] = {}


class Defaults(_Table):
    """``[defaults]``: values for rows that say nothing. The options of the command line replace them."""

    locale: Present | None = None
    """``None``: the script of the turns decides."""
    guideline: GuidelineName | None = None
    """``None``: ``other``."""
    strategy: StrategyName | None = None
    """``None``: ``direct`` for one turn, else ``other``."""


class Origin(_Table):
    """``[source]``: where the data come from and what may be done with them."""

    title: str
    url: str = ""
    licence: str = ""
    notice: str = ""


class Mapping(_Table):
    """A mapping file."""

    prefix: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,15}$")] | None = None
    suite: str | None = None
    columns: Columns
    values: Values = Values()
    defaults: Defaults = Defaults()
    source: Origin | None = None

    def present(self, header: Iterable[str]) -> Mapping:
        """Return the mapping without the columns that a file does not have; the turns must be there."""
        there = set(header)
        kept = {name: [c for c in names if c in there] for name, names in self.columns.used().items()}
        columns = Columns.model_validate({**kept, "turns": self.columns.turns})
        return self.model_copy(update={"columns": columns})

    def require(self, header: Iterable[str], place: str) -> None:
        """Check that the columns are there.

        Raises:
            ConfigError: naming every column that is missing and what there is instead.
        """
        there = list(header)
        problems = [
            f"{place}: there is no column {name!r}, which the mapping takes for {field!r}.{did_you_mean(name, there)} "
            f"{shown(there)}"
            for field, names in self.columns.used().items()
            for name in names
            if name not in there
        ]
        if problems:
            raise ConfigError(problems)


def shown(header: Iterable[str]) -> str:
    """Word the columns of a file for a message; a file without a header has texts for columns, so they are cut."""
    names = [name[:40] for name in header if name != FILE_COLUMN]
    return f"Columns: {', '.join(names[:20]) or 'none'}{', ...' if len(names) > 20 else ''}."


def built_in(name: BuiltIn) -> dict[str, Any]:
    """Return the content of a shipped mapping."""
    return toml.parse(resources.files(__package__).joinpath(f"mappings/{name}.toml").read_bytes())


def load(path: Path) -> Mapping:
    """Read a mapping file.

    Raises:
        ConfigError: for a missing file, bad TOML, unknown keys or bad values.
    """
    try:
        return Mapping.model_validate(toml.read(path, "Give another file (--mapping)."))
    except ValidationError as error:
        tables = (Mapping, Columns, Values, Defaults, Origin)
        raise ConfigError(explain_validation(error, str(path), {n for t in tables for n in t.model_fields})) from None
