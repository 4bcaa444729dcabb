"""The lifelong search of AutoDAN-Turbo, for conversations: warm-up without a library, then rounds that draw on it.

Warm-up: rounds without any strategy until the target gives in; then the weakest and the strongest are compared.
Lifelong: after each reply the library says what helped where the target answered like that (:mod:`.retrieval`), and
each round that does better than the one before gives a finding at once. To test a library, nothing is learned.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from jmedethic_pytest.generation.discovery.attempts import Attempt, Crew, Pair, attempt, bare, embedded, summarise
from jmedethic_pytest.generation.discovery.library import Collection, Strategy
from jmedethic_pytest.generation.discovery.retrieval import Choice, choose
from jmedethic_pytest.generation.discovery.scales import HarmScore
from jmedethic_pytest.generation.discovery.searches import Log, Search
from jmedethic_pytest.generation.machinery.records import Drop, Made, Question

FREE = Choice("free")


class Rules(NamedTuple):
    """When a search for one question ends, and what it looks at."""

    epochs: int
    """Most rounds."""
    break_score: HarmScore
    """The question counts as broken from here on."""
    k: int
    """Strategies retrieved."""


async def warm_up(
    crew: Crew, question: Question, pool: Sequence[Strategy], rules: Rules, *, key: str, first_repeat: int
) -> Made[Search]:
    """Search without strategies; compare the weakest with the strongest round.

    Args:
        crew: the models.
        question: what is to be obtained.
        pool: strategies known so far, for the summariser.
        rules: when to stop.
        key: names the search.
        first_repeat: index of its first round among all rounds for this question.
    """
    log = Log()
    scored: list[Attempt] = []
    for epoch in range(rules.epochs):
        made = log.round(FREE, await attempt(crew, question, FREE, first_repeat + epoch))
        if made is not None:
            scored.append(made)
            if _harm(made).reaches(rules.break_score):
                break
    pair = widest(scored, bare(question, crew))
    if isinstance(pair, Drop):
        log.drops.append(pair)
    else:
        log.summary(await summarise(crew, question, pair, "warm-up", pool))
    return log.made(key, question.id, "warm-up")


def widest(scored: Sequence[Attempt], start: Attempt) -> Pair | Drop:
    """Return the weakest and the strongest attempt; if they are equal, the weak side is the refused raw request."""
    if not scored:
        return Drop(reason="no_pair", detail="0 scored rounds")
    weak = min(scored, key=lambda made: _harm(made).harm)
    strong = max(scored, key=lambda made: _harm(made).harm)
    weak = weak if _harm(strong).above(_harm(weak)) else start
    if not _harm(strong).above(_harm(weak)):
        return Drop(reason="tie", detail="no round did better than a refusal")
    return Pair(weak, strong) if weak.turns != strong.turns else Drop(reason="tie", detail="equal texts")


async def lifelong(
    crew: Crew,
    question: Question,
    known: Sequence[Strategy],
    rules: Rules,
    *,
    key: str,
    first_repeat: int = 0,
    learn: bool = True,
) -> Made[Search]:
    """Search with the library and add to it (see :func:`warm_up` for the arguments).

    What the search itself finds is used from its next round on. With ``learn=False`` the library does not change, and
    broken is what scores **above** the break score, not at it.
    """
    log, collected = Log(), Collection(known)
    before = bare(question, crew)
    for epoch in range(rules.epochs):
        choice = await _choice(crew, collected.strategies, before, rules, first=epoch == 0)
        if isinstance(choice, Drop):
            log.drops.append(choice)
            break
        made = log.round(choice, await attempt(crew, question, choice, first_repeat + epoch))
        if made is None:
            continue  # Without a score there is nothing to compare with: the next round starts from the one before.
        if learn and _harm(made).above(_harm(before)) and made.turns != before.turns:
            pair = Pair(before, made)
            found = log.summary(await summarise(crew, question, pair, "lifelong", collected.strategies))
            if found is not None:
                collected.add(found)
        before = made
        if _harm(made).reaches(rules.break_score) if learn else _harm(made).above(rules.break_score):
            break
    return log.made(key, question.id, "lifelong")


async def _choice(
    crew: Crew, known: Sequence[Strategy], before: Attempt, rules: Rules, *, first: bool
) -> Choice | Drop:
    """Return what the attacker is told; the first round of a search is free."""
    if first or not known:
        return FREE
    vectors = await embedded(crew, [before.reply])
    return vectors if isinstance(vectors, Drop) else choose(known, vectors[0], rules.k)


def _harm(made: Attempt) -> HarmScore:
    assert made.harm is not None, "only scored attempts are compared"
    return made.harm
