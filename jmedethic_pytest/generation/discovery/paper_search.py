"""The paper's one-time discovery (arXiv 2601.01627v2, Algorithm 1): attack, score, then compare pairs of the log.

For every question T rounds without any strategy, independent of each other; then K pairs of the log are shown to the
summariser. Questions do not depend on each other: the library is what their findings add up to, in order.
"""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Sequence

from jmedethic_pytest.generation.discovery.attempts import Attempt, Crew, Pair, attempt, summarise
from jmedethic_pytest.generation.discovery.retrieval import Choice
from jmedethic_pytest.generation.discovery.searches import Log, Search
from jmedethic_pytest.generation.machinery.records import Drop, Made, Question

FREE = Choice("free")


async def search(crew: Crew, question: Question, *, rounds: int, draws: int, seed: int) -> Made[Search]:
    """Search with one question.

    Args:
        crew: the models.
        question: what is to be obtained.
        rounds: attacks (T).
        draws: pairs the summariser is shown (K).
        seed: with the question's id it decides which pairs.
    """
    log = Log()
    outcomes = await asyncio.gather(*(attempt(crew, question, FREE, repeat) for repeat in range(rounds)))
    noted = [log.round(FREE, outcome) for outcome in outcomes]
    scored = [made for made in noted if made is not None]
    drawn = pairs(scored, draws, random.Random(f"{seed}/{question.id}"))  # noqa: S311 - sampling, no secret
    told = [pair for pair in drawn if isinstance(pair, Pair)]
    log.drops += [pair for pair in drawn if isinstance(pair, Drop)]
    for found in await asyncio.gather(*(summarise(crew, question, pair, "paper") for pair in told)):
        log.summary(found)
    return log.made(question.id, question.id, "paper")


def pairs(scored: Sequence[Attempt], draws: int, chance: random.Random) -> list[Pair | Drop]:
    """Return pairs of the log, each drawn once, the weaker attempt first.

    A pair with equal scores, or with equal texts, shows nothing and is dropped without asking the summariser.
    """
    if len(scored) < 2:
        return [Drop(reason="no_pair", detail=f"{len(scored)} scored rounds")] if draws else []
    possible = list(itertools.combinations(scored, 2))
    return [_pair(first, second) for first, second in chance.sample(possible, min(draws, len(possible)))]


def _pair(first: Attempt, second: Attempt) -> Pair | Drop:
    assert first.harm is not None
    assert second.harm is not None
    if first.turns == second.turns:
        return Drop(reason="tie", detail="equal texts")
    if first.harm == second.harm:
        return Drop(reason="tie", detail="equal scores")
    return Pair(second, first) if first.harm.above(second.harm) else Pair(first, second)
