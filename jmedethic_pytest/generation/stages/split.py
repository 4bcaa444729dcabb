"""Stage ``split``: n conversations for each (guideline, strategy), seeded, nested, attackers balanced (section 4).

Nothing is asked: the split follows from the conversations. In a cell attackers take turns, and each gives one about a
question that is not there yet if it has any, so that every number of conversations is balanced as far as there are
any; a smaller number is always a part of a larger one. What a cell lacks is one drop for each missing conversation.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping

from jmedethic_pytest.core.errors import ConfigError
from jmedethic_pytest.core.records import Case
from jmedethic_pytest.generation.machinery import files, guidelines
from jmedethic_pytest.generation.machinery.config import Config
from jmedethic_pytest.generation.machinery.files import Summary
from jmedethic_pytest.generation.machinery.ledger import Progress, State, derive, records
from jmedethic_pytest.generation.machinery.models import Team
from jmedethic_pytest.generation.machinery.records import Drop, Made
from jmedethic_pytest.generation.machinery.stages import Plan, Stage
from jmedethic_pytest.generation.output import publish
from jmedethic_pytest.generation.output.publish import SplitCase
from jmedethic_pytest.generation.stages import conversations, questions, validate
from jmedethic_pytest.generation.stages.conversations import Conversation

NAME = publish.SPLIT
Cell = tuple[str, str]
"""Guideline and strategy."""


class _Entry:
    """What ordering needs of a conversation; its texts stay in the file."""

    __slots__ = ("attacker", "id", "question", "rank")

    def __init__(self, conversation: Conversation, seed: int) -> None:
        self.id = conversation.id
        self.question = conversation.question
        self.attacker = conversation.attacker
        self.rank = hashlib.sha256(f"{seed}/{conversation.id}".encode()).digest()


async def run(config: Config, team: Team, progress: Progress) -> tuple[Summary, ...]:  # noqa: ARG001 - nothing is asked
    """Draw the split and write the case files."""
    before = _conversations(config)
    chosen = _draw(config)
    if not any(chosen.values()):
        turns = config.conversations.turns
        raise ConfigError(
            f"{files.path_of(config.folder, conversations.NAME)}: no conversation has {turns} user turns, so there is "
            "nothing to draw. Next: `jmedethic generate report` says what was dropped; for interactive conversations "
            "lower goal_score or max_turns and give --restart to `jmedethic generate conversations`."
        )
    places = {name: (cell, number) for cell, names in chosen.items() for number, name in enumerate(names, start=1)}
    stems = _stems(config)
    cases: dict[Cell, dict[int, SplitCase]] = defaultdict(dict)
    for conversation in records(config.folder, conversations.NAME, Conversation):
        if conversation.id in places:
            cell, number = places[conversation.id]
            cases[cell][number] = _case(config, conversation, stems[conversation.guideline], number)
    earlier = (questions.NAME, validate.NAME, conversations.NAME)
    known = [found for name in earlier if (found := files.summary_of(config.folder, name)) is not None]
    head = files.header(
        NAME,
        roles={role: names for found in known for role, names in found.header.roles.items()},
        settings={**config.split.model_dump(), "turns": config.conversations.turns},
        simulated=files.simulated(config.folder, *earlier),
        sources={**before.header.sources, conversations.NAME: before.digest},
    )
    summary = derive(head, _made(config, cases), folder=config.folder)
    publish.write(config)
    progress(State(NAME, summary.items, summary.items, summary.kept, sum(summary.drops.values())))
    return (summary,)


def _conversations(config: Config) -> Summary:
    """Return the summary of the conversations, if they are those the settings and earlier stages lead to.

    Raises:
        ConfigError: if they are not finished, or were written with other settings, questions or strategies.
    """
    next(records(config.folder, conversations.NAME, Conversation), None)  # says what to do if they are not finished
    found = files.summary_of(config.folder, conversations.NAME)
    assert found is not None, "a stage without a summary has no records to read"
    place = files.path_of(config.folder, conversations.NAME)
    settings = config.conversations.model_dump(include={"mode", "turns"})
    changed = [
        f"{place}: written with {name} = {found.header.settings.get(name)!r}, the settings say {value!r}. Restore it, "
        "or next: `jmedethic generate conversations --restart` (the old file is kept beside it)."
        for name, value in settings.items()
        if found.header.settings.get(name) != value
    ]
    now = conversations.sources(config)
    changed += [
        f"{place}: written from other {what} than there are now. Next: `jmedethic generate conversations` (only what "
        "is new is asked)."
        for name, what in ((validate.NAME, "questions"), ("strategies", "strategies"))
        if name in now and found.header.sources.get(name) != now[name]
    ]
    if changed:
        raise ConfigError(changed)
    return found


def _draw(config: Config) -> dict[Cell, list[str]]:
    """Return the ids of each cell's conversations in their order."""
    wanted = set(guidelines.choose(config).guidelines)
    cells: dict[Cell, dict[str, list[_Entry]]] = defaultdict(lambda: defaultdict(list))
    for conversation in records(config.folder, conversations.NAME, Conversation):
        if conversation.guideline in wanted and len(conversation.turns) == config.conversations.turns:
            entry = _Entry(conversation, config.split.seed)
            cells[conversation.guideline, conversation.strategy][entry.attacker].append(entry)
    return {cell: order(attackers, config.split.seed, cell, config.split.per_cell) for cell, attackers in cells.items()}


def order(attackers: Mapping[str, list[_Entry]], seed: int, cell: Cell, most: int) -> list[str]:
    """Return the first conversations of a cell: attackers take turns, beginning with another one in each cell.

    Args:
        attackers: what there is, by attacker.
        seed: another one gives another order.
        cell: guideline and strategy.
        most: conversations wanted; a smaller number gives a part of what a larger one gives.
    """
    names = sorted(attackers, key=lambda name: hashlib.sha256(f"{seed}/{cell}/{name}".encode()).digest())
    left = {name: sorted(attackers[name], key=lambda entry: entry.rank) for name in names}
    taken: list[str] = []
    asked: set[str] = set()
    while len(taken) < most and any(left.values()):
        for name in names:
            if left[name] and len(taken) < most:
                fresh = (entry for entry in left[name] if entry.question not in asked)
                entry = next(fresh, left[name][0])
                left[name].remove(entry)
                taken.append(entry.id)
                asked.add(entry.question)
    return taken


def _made(config: Config, cases: Mapping[Cell, Mapping[int, SplitCase]]) -> Iterator[tuple[str, Made[SplitCase]]]:
    wanted = config.split.per_cell
    for guideline in guidelines.choose(config).guidelines:
        for strategy in conversations.strategies(config):
            found = cases.get((guideline, strategy), {})
            lacking = [Drop(reason="short cell", detail=f"{guideline} {strategy}")] * (wanted - len(found))
            yield (
                f"{guideline}-{strategy}",
                Made(records=tuple(found[number] for number in sorted(found)), drops=tuple(lacking)),
            )


def _stems(config: Config) -> dict[str, str]:
    """Return how ids name each guideline: ``jma19``; with the hyphen where two would otherwise have one name."""
    ids = list(guidelines.choose(config).pack.known())
    short = {key: re.sub(r"[^a-z0-9]", "", key.lower()) for key in ids}
    counts = Counter(short.values())
    return {key: short[key] if counts[short[key]] == 1 else key.lower() for key in ids}


def _case(config: Config, conversation: Conversation, guideline: str, number: int) -> SplitCase:
    stem = f"{guideline}-{conversation.strategy.lower()}-{number:02d}"
    case = Case(
        id=f"{conversation.locale}-{stem}",
        locale=conversation.locale,
        guideline=conversation.guideline,
        strategy=conversation.strategy,
        suites=(config.split.suite,),
        tags=("generated",),
        question=conversation.request,
        turns=conversation.turns,
    )
    return SplitCase(id=stem, conversation=conversation.id, attacker=conversation.attacker, case=case)


def plan(config: Config, counts: Mapping[str, int]) -> Plan:
    """Plan no call."""
    wanted = counts["guidelines"] * conversations.planned_strategies(config) * config.split.per_cell
    return Plan((), min(counts[conversations.NAME], wanted))


STAGE = Stage(NAME, lambda _: (), plan, run)
