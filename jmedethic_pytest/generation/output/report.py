"""The report on a benchmark: funnel, drops by reason, cost, cells, diversity, and the validation in figures.

It holds counts, ids and models' names, and no text that a model wrote.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from statistics import median
from typing import Literal

from pydantic import Field

from jmedethic_pytest import _version
from jmedethic_pytest.core.records import Record
from jmedethic_pytest.generation import chain
from jmedethic_pytest.generation.machinery import files, guidelines
from jmedethic_pytest.generation.machinery.config import Config
from jmedethic_pytest.generation.machinery.files import ItemFile, Summary
from jmedethic_pytest.generation.machinery.meter import Spent
from jmedethic_pytest.generation.output.goals import Goals, goals
from jmedethic_pytest.generation.quality.diversity import Diversity, diversity, last_turns
from jmedethic_pytest.generation.quality.screening import Screening, screening
from jmedethic_pytest.generation.stages import questions as question_stage
from jmedethic_pytest.generation.stages import validate as validate_stage
from jmedethic_pytest.generation.stages.conversations import NAME as CONVERSATIONS
from jmedethic_pytest.models import prices

_NAMES = {
    "questions": "questions written",
    "validate": "validated",
    "discover": "searches",
    "cluster": "groups of strategies",
    "translate": "translated",
    "split": "in the split",
}
_SEARCH = ("discover", "cluster")


class Step(Record):
    """One step of the funnel."""

    name: str
    count: int


class Cells(Record):
    """Records of a stage by (guideline, strategy)."""

    stage: str
    cells: int
    """Cells there could be: guidelines x strategies that occur."""
    empty: int
    least: int
    median: float
    most: int
    counts: dict[str, int]
    """By ``<guideline> <strategy>``; cells without any record are left out."""


class Cost(Record):
    """What one stage asked for, in one role of one model, also where the reply came from the cache."""

    stage: str
    model: str
    """``<role> <model>``."""
    spent: Spent
    usd: float | None
    """US dollars; ``None`` if the price or a token count is unknown."""


class Report(Record):
    """Everything the report shows."""

    schema_version: Literal[1] = 1
    name: str
    simulation: bool
    tool_version: str = _version.VERSION
    funnel: tuple[Step, ...]
    """From the guidelines to the split."""
    search: tuple[Step, ...]
    """The discovery of strategies, which runs beside the funnel."""
    drops: dict[str, dict[str, int]]
    """Number of drops by stage and reason."""
    costs: tuple[Cost, ...]
    usd: float | None
    """US dollars in all; ``None`` if any part is unknown."""
    cells: tuple[Cells, ...] = ()
    screening: Screening | None = None
    goals: Goals | None = None
    """Of interactive conversations."""
    diversity: dict[str, Diversity] = Field(default_factory=dict)
    digests: dict[str, str] = Field(default_factory=dict)
    """By file of a stage."""


def build(config: Config) -> Report:
    """Compute the report from the finished stages.

    Raises:
        ConfigError: if no stage is finished.
        StoreError: if a file is damaged.
    """
    known = dict(_summaries(config))
    if not known:
        next(ItemFile.read(config.folder, question_stage.NAME), None)  # Says what to do next.
    costs = tuple(_costs(config, known))
    unknown = any(cost.usd is None for cost in costs)
    return Report(
        name=config.name,
        simulation=any(summary.header.simulation is not None for summary in known.values()),
        funnel=tuple(_funnel(config, known)),
        search=tuple(Step(name=_NAMES[name], count=known[name].kept) for name in _SEARCH if name in known),
        drops={name: summary.drops for name, summary in known.items() if summary.drops},
        costs=costs,
        usd=None if unknown else sum(cost.usd or 0.0 for cost in costs),
        cells=tuple(_cells(config, known)),
        screening=screening(config) if {validate_stage.ANSWERS, validate_stage.NAME} <= known.keys() else None,
        goals=goals(config),
        diversity=_diversity(config, known),
        digests={name: summary.digest for name, summary in known.items()},
    )


def _summaries(config: Config) -> Iterator[tuple[str, Summary]]:
    for stage in chain.STAGES:
        for name in stage.outputs:
            summary = files.summary_of(config.folder, name)
            if summary is not None:
                yield name, summary


def _funnel(config: Config, known: dict[str, Summary]) -> Iterator[Step]:
    count = len(guidelines.choose(config).guidelines)
    yield Step(name="guidelines", count=count)
    asked = count * len(config.roles.generators) * config.questions.per_model
    yield Step(name="questions asked for", count=asked)
    for stage in chain.STAGES:
        if stage.name in known and stage.name not in _SEARCH:
            yield Step(name=_NAMES.get(stage.name, stage.name), count=known[stage.name].kept)


def _costs(config: Config, known: dict[str, Summary]) -> Iterator[Cost]:
    for stage, summary in known.items():
        for name, spent in summary.spent.items():
            label = name.split(" ")[1]
            usd: float | None = None
            if label.startswith("demo:"):
                usd = 0.0
            elif not spent.uncounted:
                usd = prices.cost(label, spent.usage, config.prices)
            yield Cost(stage=stage, model=name, spent=spent, usd=usd)


def _cells(config: Config, known: dict[str, Summary]) -> Iterator[Cells]:
    """Yield the cells of every stage whose records have a guideline and a strategy."""
    rows = list(guidelines.choose(config).guidelines)
    for stage in chain.STAGES:
        if stage.name not in known:
            continue
        counts: Counter[tuple[str, str]] = Counter()
        for line in ItemFile.read(config.folder, stage.name):
            for record in line.records:
                content = record.get("case", record)
                if "guideline" in content and "strategy" in content:
                    counts[content["guideline"], content["strategy"]] += 1
        if not counts:
            continue
        columns = sorted({strategy for _, strategy in counts})
        sizes = [counts[row, column] for row in rows for column in columns]
        yield Cells(
            stage=stage.name,
            cells=len(sizes),
            empty=sizes.count(0),
            least=min(sizes),
            median=median(sizes),
            most=max(sizes),
            counts={" ".join(cell): number for cell, number in sorted(counts.items())},
        )


def _diversity(config: Config, known: dict[str, Summary]) -> dict[str, Diversity]:
    """Return the variety of questions, of the conversations' last turns and of the split, each where it is finished."""
    found: dict[str, Diversity] = {
        name: diversity(_texts(config, name), config.locale) for name in ("questions", "validate") if name in known
    }
    if CONVERSATIONS in known:
        found[CONVERSATIONS] = last_turns(_last_turns(config), config.locale)
    return found | ({"split": diversity(_texts(config, "split"), config.locale)} if "split" in known else {})


def _last_turns(config: Config) -> Iterator[tuple[str, str, str, str]]:
    """Yield guideline, strategy, id and last turn of every conversation, which stand in order of their guideline."""
    for line in ItemFile.read(config.folder, CONVERSATIONS):
        for record in line.records:
            yield record["guideline"], record["strategy"], record["id"], record["turns"][-1]


def _texts(config: Config, stage: str) -> Iterator[tuple[str, str, str]]:
    """Yield guideline, id and text of every record: a question, or the user turns of a conversation."""
    for line in ItemFile.read(config.folder, stage):
        for record in line.records:
            content = record.get("case", record)
            text = content.get("text") or "\n".join(content.get("turns", ()))
            yield content["guideline"], content["id"], text
