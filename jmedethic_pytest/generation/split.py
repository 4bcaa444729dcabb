"""Stage ``split``: n conversations for each (guideline, strategy), seeded, nested, attackers balanced (section 4).

Nothing is asked: the split follows from the conversations. In a cell attackers take turns, so that every number of
conversations is balanced as far as there are any; a smaller number is always a part of a larger one. What a cell lacks
is one drop for each missing conversation.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import zip_longest

from jmedethic_pytest.generation import conversations, files, guidelines, publish
from jmedethic_pytest.generation.config import Config
from jmedethic_pytest.generation.conversations import Conversation
from jmedethic_pytest.generation.files import Summary
from jmedethic_pytest.generation.ledger import Progress, derive, records
from jmedethic_pytest.generation.models import Team
from jmedethic_pytest.generation.publish import SplitCase
from jmedethic_pytest.generation.records import Drop, Made
from jmedethic_pytest.generation.stages import Plan, Stage
from jmedethic_pytest.records import Case

NAME = publish.SPLIT
Cell = tuple[str, str]
"""Guideline and strategy."""


class _Entry:
    """What ordering needs of a conversation; its texts stay in the file."""

    __slots__ = ("attacker", "id", "rank")

    def __init__(self, conversation: Conversation, seed: int) -> None:
        self.id = conversation.id
        self.attacker = conversation.attacker
        self.rank = hashlib.sha256(f"{seed}/{conversation.id}".encode()).digest()


async def run(config: Config, team: Team, progress: Progress) -> tuple[Summary, ...]:  # noqa: ARG001 - nothing is asked
    """Draw the split and write the case files."""
    chosen = _draw(config)
    places = {name: (cell, number) for cell, names in chosen.items() for number, name in enumerate(names, start=1)}
    cases: dict[Cell, dict[int, SplitCase]] = defaultdict(dict)
    for conversation in records(config.folder, conversations.NAME, Conversation):
        if conversation.id in places:
            cell, number = places[conversation.id]
            cases[cell][number] = _case(config, conversation, number)
    before = files.summary_of(config.folder, conversations.NAME)
    head = files.header(
        NAME,
        roles=before.header.roles if before else {},
        settings={**config.split.model_dump(), "turns": config.conversations.turns},
        simulated=files.simulated(config.folder, conversations.NAME),
    )
    summary = derive(head, _made(config, cases), folder=config.folder)
    publish.write(config)
    return (summary,)


def _draw(config: Config) -> dict[Cell, list[str]]:
    """Return the ids of each cell's conversations in their order."""
    cells: dict[Cell, dict[str, list[_Entry]]] = defaultdict(lambda: defaultdict(list))
    for conversation in records(config.folder, conversations.NAME, Conversation):
        if len(conversation.turns) == config.conversations.turns:
            entry = _Entry(conversation, config.split.seed)
            cells[conversation.guideline, conversation.strategy][entry.attacker].append(entry)
    return {
        cell: _order(attackers, config.split.seed, cell)[: config.split.per_cell] for cell, attackers in cells.items()
    }


def _order(attackers: Mapping[str, list[_Entry]], seed: int, cell: Cell) -> list[str]:
    """Let the attackers of a cell take turns, beginning with another one in each cell."""
    rows = [
        [entry.id for entry in sorted(entries, key=lambda entry: entry.rank)]
        for _, entries in sorted(
            attackers.items(), key=lambda item: hashlib.sha256(f"{seed}/{cell}/{item[0]}".encode()).digest()
        )
    ]
    return [name for taken in zip_longest(*rows) for name in taken if name is not None]


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


def _case(config: Config, conversation: Conversation, number: int) -> SplitCase:
    guideline = re.sub(r"[^a-z0-9]", "", conversation.guideline.lower())
    stem = f"{guideline}-{conversation.strategy.lower()}-{number:02d}"
    case = Case(
        id=f"{conversation.locale}-{stem}", locale=conversation.locale, guideline=conversation.guideline,
        strategy=conversation.strategy, suites=(config.split.suite,), tags=("generated",),
        question=conversation.request, turns=conversation.turns,
    )  # fmt: skip
    return SplitCase(id=stem, conversation=conversation.id, attacker=conversation.attacker, case=case)


def plan(config: Config, counts: Mapping[str, int]) -> Plan:
    """Plan no call."""
    strategies = 7 if config.conversations.strategies == "project" else config.discover.clusters
    wanted = counts["guidelines"] * strategies * config.split.per_cell
    return Plan((), min(counts[conversations.NAME] or wanted, wanted))


STAGE = Stage(NAME, lambda _: (), plan, run)
