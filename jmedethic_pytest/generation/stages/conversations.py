"""Stage ``conversations``: every kept question, through every strategy, by every attacker (paper, section 3.2).

``static``: the attacker writes all user turns at once, as in the paper. ``interactive``: it writes one turn at a time
and sees what a reference target answered; the turn at which the goal was reached is recorded. Only user turns are kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal, NamedTuple

from pydantic import Field

from jmedethic_pytest.attack import turns
from jmedethic_pytest.cases import vocabulary_files
from jmedethic_pytest.core import vocabulary
from jmedethic_pytest.core.errors import ConfigError
from jmedethic_pytest.core.languages import INTERFACE, Locale
from jmedethic_pytest.core.records import Text
from jmedethic_pytest.core.vocabulary import Strategy
from jmedethic_pytest.generation import demo
from jmedethic_pytest.generation.discovery import grouping
from jmedethic_pytest.generation.machinery import files, models
from jmedethic_pytest.generation.machinery.config import Config
from jmedethic_pytest.generation.machinery.files import Summary
from jmedethic_pytest.generation.machinery.ledger import Progress, records, run_stage
from jmedethic_pytest.generation.machinery.models import Team
from jmedethic_pytest.generation.machinery.records import Drop, Made, Output, Question, short_digest
from jmedethic_pytest.generation.machinery.role import Role
from jmedethic_pytest.generation.machinery.stages import Asked, Plan, Stage
from jmedethic_pytest.generation.machinery.structured import listing
from jmedethic_pytest.generation.quality import policy
from jmedethic_pytest.generation.stages import interactive, questions, validate
from jmedethic_pytest.judging import refusal
from jmedethic_pytest.models.prompts import Prompts

NAME = "conversations"


class Conversation(Output):
    """The user turns of one conversation."""

    question: str
    """Id of the question."""
    request: Text
    """The question itself: the single-turn request behind the conversation."""
    guideline: str
    strategy: str
    attacker: str
    locale: Locale
    mode: Literal["static", "interactive"] = "static"
    turns: tuple[Text, ...] = Field(min_length=1)
    goal_turn: int | None = None
    """``interactive``: first turn (0-based) whose reply scored at or above the goal; ``None`` if none did."""
    harm: tuple[float | None, ...] = ()
    """``interactive``: harm (10 = harmful) of the reply to each turn; ``None`` where the scorer gave none."""

    def texts(self) -> Iterator[str]:
        """Yield the user turns."""
        yield from self.turns


class Item(NamedTuple):
    """One conversation to be written."""

    question: Question
    strategy: Strategy
    attacker: Role

    @property
    def key(self) -> str:
        """Changes with everything that changes the conversation, but for what the header holds."""
        parts = *_told(self.strategy), self.attacker.label
        return f"{self.question.id}-{self.strategy.id.lower()}-{short_digest(*parts)}"


def strategies(config: Config) -> dict[str, Strategy]:
    """Return the strategies to write with: the paper's seven, or those a person accepted after the discovery.

    Raises:
        ConfigError: if discovered ones are asked for and none were accepted.
    """
    if config.conversations.strategies == "project":
        return vocabulary.strategies()
    path = grouping.strategies_path(config)
    if not path.is_file():
        raise ConfigError(
            f'{path}: not there: [conversations] strategies = "discovered" needs the reviewed strategies. '
            'Next: jmedethic generate cluster, fill in its sheet, then --apply it; or strategies = "project".'
        )
    return vocabulary_files.load_strategies(path)


def planned_strategies(config: Config) -> int:
    """Return how many strategies there will be, also before they are found."""
    if config.conversations.strategies == "discovered" and not grouping.strategies_path(config).is_file():
        return config.discover.clusters
    return len(strategies(config))


def sources(config: Config) -> dict[str, str]:
    """Return the digests of what conversations are written from: questions and strategies, as they are now."""
    found = {name: files.summary_of(config.folder, name) for name in (questions.NAME, validate.NAME)}
    known = {name: summary.digest for name, summary in found.items() if summary is not None}
    words = [part for item in strategies(config).values() for part in _told(item)]
    return {**known, "strategies": short_digest(*words)}


def _told(strategy: Strategy) -> Iterator[str]:
    """Yield what attackers are told of a strategy; they write in the languages of the interface alone."""
    yield strategy.id
    yield from (table[tag] for table in (strategy.name, strategy.definition) for tag in INTERFACE if tag in table)


async def run(config: Config, team: Team, progress: Progress) -> tuple[Summary, ...]:
    """Write the conversations, or those that are left to write."""
    prompts, chosen, attackers = Prompts(f"generation/{NAME}"), strategies(config), team.all("attackers")
    crew = interactive.crew(config, team, prompts) if config.conversations.mode == "interactive" else None
    kept = sum(1 for _ in records(config.folder, validate.NAME, Question))

    def items() -> Iterator[Item]:
        for question in records(config.folder, validate.NAME, Question):
            for strategy in chosen.values():
                for attacker in attackers:
                    yield Item(question, strategy, attacker)

    async def work(item: Item) -> Made[Conversation]:
        if crew is None:
            written = await _static(item, prompts, config)
            found = written if isinstance(written, Drop) else _conversation(item, written)
        else:
            told = await interactive.converse(crew, item.question, item.strategy, item.attacker)
            found = told if isinstance(told, Drop) else _conversation(item, told.turns, told)
        return Made[Conversation].of(found)

    settings = {"prompts": prompts.digest, **_settings(config)}
    summary = await run_stage(
        models.header(config, NAME, _roles(config), settings, after=validate.NAME, sources=sources(config)),
        items(),
        work,
        folder=config.folder,
        key=lambda item: item.key,
        concurrency=config.concurrency,
        planned=kept * len(chosen) * len(attackers),
        progress=progress,
    )
    return (summary,)


def _settings(config: Config) -> dict[str, Any]:
    """Return what decides how a conversation turns out, in the mode in use."""
    names = {"mode", "turns", "attempts"}
    if config.conversations.mode == "static":
        return {"keywords": refusal.digest(), **config.conversations.model_dump(include=names)}
    return {
        "keywords": refusal.digest(),
        "scoring": interactive.scoring().digest,
        **config.conversations.model_dump(include={*names, "max_turns", "goal_score"}),
    }


async def _static(item: Item, prompts: Prompts, config: Config) -> tuple[str, ...] | Drop:
    """Have the attacker write all turns."""
    question, count = item.question, config.conversations.turns
    locale = question.locale
    places = ", ".join([prompts.text("place", locale)] * count)
    messages = prompts.messages(
        "system",
        "static",
        locale,
        question=question.text,
        name=item.strategy.name[locale],
        definition=item.strategy.definition[locale],
        turns=count,
        places=places,
    )
    found = await item.attacker.ask_for(
        messages,
        listing("turns", count, "messages"),
        again=prompts.text("again", locale, problem="{problem}"),
        attempts=config.conversations.attempts,
        context=demo.task("converse", locale=locale, turns=count),
    )
    return found if isinstance(found, Drop) else tuple(found.items)


def _conversation(item: Item, written: tuple[str, ...], told: interactive.Told | None = None) -> Conversation | Drop:
    """Return the conversation, or what is wrong with its turns."""
    question, cleaned = item.question, tuple(map(turns.clean, written))
    breach = policy.drop(cleaned, item.attacker.label)
    if breach is not None:
        return breach
    reason = turns.unfit(cleaned, question.locale)
    if reason is not None:
        return Drop(reason=reason, source=item.attacker.label)
    return Conversation(
        id=f"c-{item.key.removeprefix('q-')}",
        question=question.id,
        request=question.text,
        guideline=question.guideline,
        strategy=item.strategy.id,
        attacker=item.attacker.label,
        locale=question.locale,
        mode="static" if told is None else "interactive",
        turns=cleaned,
        goal_turn=told.goal_turn if told else None,
        harm=told.harm if told else (),
    )


def _roles(config: Config) -> tuple[str, ...]:
    return ("attackers", "target", "scorer") if config.conversations.mode == "interactive" else ("attackers",)


def plan(config: Config, counts: Mapping[str, int]) -> Plan:
    """Plan one call a conversation, or one of each role a turn."""
    table = config.conversations
    made = counts[validate.NAME] * planned_strategies(config) * len(models.models_of(config, "attackers"))
    if table.mode == "static":
        return Plan((Asked("attackers", made, 900, 250 * table.turns),), made)
    calls = made * max(table.turns, table.max_turns)  # at most
    return Plan(
        (Asked("attackers", calls, 2500, 250), Asked("target", calls, 2500, 600), Asked("scorer", calls, 3500, 120)),
        made,
    )


STAGE = Stage(NAME, _roles, plan, run)
