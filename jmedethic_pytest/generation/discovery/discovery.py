"""The stage ``discover``: search for strategies with some questions, and write the library they add up to."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from jmedethic_pytest import _version
from jmedethic_pytest.core.errors import ConfigError
from jmedethic_pytest.core.files import digest
from jmedethic_pytest.generation.discovery import library, paper_search
from jmedethic_pytest.generation.discovery.attempts import Crew
from jmedethic_pytest.generation.discovery.embeddings import Embedder, EndpointEmbedder, NgramEmbedder
from jmedethic_pytest.generation.discovery.library import Library, Origin, Strategy
from jmedethic_pytest.generation.discovery.passes import Passes, Step, steps
from jmedethic_pytest.generation.discovery.scales import HarmScore
from jmedethic_pytest.generation.discovery.searches import Search
from jmedethic_pytest.generation.discovery.turbo_search import Rules, lifelong
from jmedethic_pytest.generation.machinery import files, ledger, models
from jmedethic_pytest.generation.machinery.config import Config
from jmedethic_pytest.generation.machinery.files import Header, ItemFile, Summary
from jmedethic_pytest.generation.machinery.ledger import I, Progress
from jmedethic_pytest.generation.machinery.models import Team
from jmedethic_pytest.generation.machinery.records import Made, Question
from jmedethic_pytest.generation.machinery.stages import Asked, Plan, Stage
from jmedethic_pytest.generation.stages import validate
from jmedethic_pytest.models.prompts import Prompts

NAME = "discover"
TEST = "discover-test"
"""The file of an attack with a library that stays as it is."""
LIBRARY = "library.json"
_ROLES = ("attacker", "target", "scorer", "summariser")
_TOKENS = {
    "attacker": (700, 400),
    "target": (400, 600),
    "scorer": (1500, 120),
    "summariser": (1200, 200),
    "embedder": (600, 0),
}
"""Assumed tokens of a call, in and out."""
_SETTINGS = {
    "paper": {"mode", "rounds", "draws", "turns", "seed"},
    "turbo": {"mode", "epochs", "warm_up", "lifelong", "k", "break_score", "block", "turns", "same_definition"},
}
"""What decides what each mode finds."""


def library_path(config: Config) -> Path:
    """Return where the library is written."""
    return config.folder / LIBRARY


def embedder_name(config: Config) -> str:
    """Return the name of the embedder that a configuration asks for."""
    named = config.roles.embedder
    return models.needed(config, ("embedder",))["embedder"][0].label if named else NgramEmbedder.name


def questions(config: Config) -> list[Question]:
    """Return the questions to search with: drawn evenly over the guidelines, seeded; more of them hold the fewer.

    Raises:
        ConfigError: if the validation is not finished, or kept no question.
    """
    groups: dict[str, list[Question]] = {}
    for question in ledger.records(config.folder, validate.NAME, Question):
        groups.setdefault(question.guideline, []).append(question)
    if not groups:
        raise ConfigError(
            f"{files.path_of(config.folder, validate.NAME)}: no question was kept, so there is none to search with."
        )
    seed = config.discover.seed
    order = sorted(groups)
    random.Random(f"{seed}/guidelines").shuffle(order)  # noqa: S311 - sampling, no secret
    for name in order:
        groups[name].sort(key=lambda question: question.id)
        random.Random(f"{seed}/{name}").shuffle(groups[name])  # noqa: S311
    longest = max(map(len, groups.values()))
    drawn = [groups[name][place] for place in range(longest) for name in order if place < len(groups[name])]
    return drawn[: config.discover.questions or None]


def roles(config: Config) -> tuple[str, ...]:
    """Return the roles of the stage."""
    return (*_ROLES, "embedder") if config.roles.embedder else _ROLES


def calls(config: Config, count: int) -> dict[str, int]:
    """Return the most calls of each role for so many questions; replies from the cache are among them."""
    table = config.discover
    if table.mode == "paper":
        rounds, summaries = count * table.rounds, count * table.draws
        vectors = 2 * summaries
    else:
        later = count * table.epochs * table.lifelong
        rounds, summaries = count * table.epochs * table.warm_up + later, count * table.warm_up + later
        vectors = 2 * summaries + later
    made = {"attacker": rounds, "target": rounds * table.turns, "scorer": rounds, "summariser": summaries}
    return {**made, "embedder": vectors} if config.roles.embedder else made


def plan(config: Config, counts: Mapping[str, int]) -> Plan:
    """Plan the most calls; a search that succeeds early takes fewer."""
    count = _searched(config, counts)
    asked = tuple(Asked(role, number, *_TOKENS[role]) for role, number in calls(config, count).items())
    searches = (
        count if config.discover.mode == "paper" else count * (config.discover.warm_up + config.discover.lifelong)
    )
    return Plan(asked, searches)


def _searched(config: Config, counts: Mapping[str, int]) -> int:
    """Return how many questions will be searched with."""
    return min(config.discover.questions or counts[validate.NAME], counts[validate.NAME])


def header(config: Config, chosen: Sequence[Question]) -> Header:
    """Return the header of the stage's file: everything that decides what is found.

    In paper mode no question depends on another one, so that their number may grow later.
    """
    table = config.discover.model_dump(mode="json", include=_SETTINGS[config.discover.mode])
    if config.discover.mode == "turbo":
        table["questions"] = digest([question.id for question in chosen])
    return _header(NAME, config, table)


def _header(stage: str, config: Config, table: dict[str, Any]) -> Header:
    made = {
        "prompts": Prompts(f"generation/{NAME}").digest,
        "embedder": embedder_name(config),
        "keep_texts": config.keep_answers,
    }
    return models.header(config, stage, roles(config), {**table, **made}, after=validate.NAME)


async def run(config: Config, team: Team, progress: Progress) -> tuple[Summary, ...]:
    """Run the stage, or what is left of it, and write the library."""
    chosen = questions(config)
    about, crew, table = header(config, chosen), _crew(config, team), config.discover
    if table.mode == "paper":
        search = partial(paper_search.search, crew, rounds=table.rounds, draws=table.draws, seed=table.seed)
        summary = await _each(config, about, chosen, search, lambda question: question.id, progress)
    else:
        order = _steps(config, chosen)
        passes = Passes(crew, order, _rules(config), _done(config, about), table.same_definition)
        summary = await _each(config, about, order, passes.work, lambda step: step.key, progress)
    library.write(collect(config, about, chosen), library_path(config))
    return (summary,)


def _done(config: Config, about: Header) -> dict[str, tuple[Strategy, ...]]:
    """Return what an interrupted run found, by key."""
    with ItemFile(config.folder, about) as file:
        return {
            line.key: tuple(finding for content in line.records for finding in Search.model_validate(content).findings)
            for line in file.lines()
        }


def collect(config: Config, about: Header, chosen: Sequence[Question]) -> Library:
    """Return the library that the searches of the finished stage add up to, in the order of the search."""
    searches = {search.id: search for search in ledger.records(config.folder, NAME, Search)}
    keys = [question.id for question in chosen]
    if config.discover.mode == "turbo":
        keys = [step.key for step in _steps(config, chosen)]
    found = [finding for key in keys if key in searches for finding in searches[key].findings]
    empty = Library(
        licence=about.licence,
        simulated=about.simulation is not None,
        embedder=embedder_name(config),
        origin=Origin(
            mode=config.discover.mode,
            models={role: names[0] for role, names in about.roles.items()},
            prompts=Prompts(f"generation/{NAME}").digest,
            seed=config.discover.seed,
            questions=digest([question.id for question in chosen]),
            tool_version=_version.VERSION,
        ),
    )
    return empty.with_all(found, config.discover.same_definition)


async def test(config: Config, team: Team, known: Library, progress: Progress) -> Summary:
    """Attack with a library that stays as it is.

    Raises:
        ConfigError: also if the library was made with another embedder.
    """
    check_embedder(config, known)
    chosen, crew, rules = questions(config), _crew(config, team), _rules(config)
    table = config.discover.model_dump(mode="json", include={"epochs", "k", "break_score", "turns"})
    about = _header(TEST, config, {**table, "library": known.digest()})

    async def attack(question: Question) -> Made[Search]:
        return await lifelong(crew, question, known.strategies, rules, key=question.id, learn=False)

    return await _each(config, about, chosen, attack, lambda question: question.id, progress)


async def _each(
    config: Config,
    about: Header,
    items: Sequence[I],
    work: Callable[[I], Awaitable[Made[Search]]],
    key: Callable[[I], str],
    progress: Progress,
) -> Summary:
    """Search with every item that is not done yet."""
    return await ledger.run_stage(
        about,
        items,
        work,
        folder=config.folder,
        key=key,
        concurrency=config.concurrency,
        planned=len(items),
        progress=progress,
    )


def check_embedder(config: Config, known: Library) -> None:
    """Refuse a library whose vectors cannot be compared with those made now.

    Raises:
        ConfigError: naming both embedders.
    """
    if known.embedder != embedder_name(config):
        raise ConfigError(
            f"the library's vectors come from {known.embedder!r}, the configuration names {embedder_name(config)!r}: "
            "they cannot be compared. Give the same roles.embedder."
        )


def embedder(config: Config, team: Team) -> Embedder:
    """Return the embedder that a configuration asks for."""
    return EndpointEmbedder(team.one("embedder")) if config.roles.embedder else NgramEmbedder()


def _crew(config: Config, team: Team) -> Crew:
    return Crew(
        attacker=team.one("attacker"),
        target=team.one("target"),
        scorer=team.one("scorer"),
        summariser=team.one("summariser"),
        embedder=embedder(config, team),
        texts=Prompts(f"generation/{NAME}"),
        turns=config.discover.turns,
        keep_texts=config.keep_answers,
    )


def _rules(config: Config) -> Rules:
    table = config.discover
    return Rules(epochs=table.epochs, break_score=HarmScore(harm=table.break_score), k=table.k)


def _steps(config: Config, chosen: Sequence[Question]) -> list[Step]:
    table = config.discover
    return steps(chosen, warm_ups=table.warm_up, lifelongs=table.lifelong, block=table.block, epochs=table.epochs)


def report(config: Config, stage: str = NAME) -> dict[str, Any]:
    """Return the figures of a finished discovery, or of a test of its library: counts only, no text."""
    summary = files.summary_of(config.folder, stage)
    found = list(ledger.records(config.folder, stage, Search))
    rounds = [item for search in found for item in search.rounds]
    scores = [item.harm.harm for item in rounds if item.harm is not None]
    best = [search.best for search in found if search.best is not None]
    limit = _rules(config).break_score
    return {
        "searches": len(found),
        "searches_scored": len(best),
        "broken": sum(1 for score in best if (score.above(limit) if stage == TEST else score.reaches(limit))),
        "rounds": len(rounds),
        "rounds_scored": len(scores),
        "rounds_missing": dict(sorted(Counter(item.missing for item in rounds if item.missing).items())),
        "fallbacks": sum(item.fallback for item in rounds),
        "tiers": dict(sorted(Counter(item.tier for item in rounds).items())),
        "mean_harm": round(sum(scores) / len(scores), 4) if scores else None,
        "findings": sum(len(search.findings) for search in found),
        "drops": summary.drops if summary else {},
        "digest": summary.digest if summary else None,
    }


STAGE = Stage(NAME, roles, plan, run)


def test_stage(known: Library) -> Stage:
    """Return the attack with a library that stays as it is, as a stage of its own."""

    async def attack(config: Config, team: Team, progress: Progress) -> tuple[Summary, ...]:
        return (await test(config, team, known, progress),)

    def planned(config: Config, counts: Mapping[str, int]) -> Plan:
        count = _searched(config, counts)
        rounds = count * config.discover.epochs
        made = {"attacker": rounds, "target": rounds * config.discover.turns, "scorer": rounds}
        return Plan(tuple(Asked(role, number, *_TOKENS[role]) for role, number in made.items()), count)

    return Stage(TEST, roles, planned, attack)
