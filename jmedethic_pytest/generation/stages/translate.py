"""Stage ``translate``: the split in the other language, each case checked by translating it back.

The paper names "equivalent English benchmarks" without saying how they were made. Here a pair shares the stem of its
id, and is kept only if the back-translation is similar enough and every number and name survived. What fails before
that is not translated back.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from jmedethic_pytest.attack import turns
from jmedethic_pytest.cases.checks import fidelity
from jmedethic_pytest.cases.checks.ngrams import grams
from jmedethic_pytest.cases.checks.ngrams import similarity as similarity_of
from jmedethic_pytest.cases.checks.script import is_in
from jmedethic_pytest.cases.files import case_digest
from jmedethic_pytest.core.languages import Locale
from jmedethic_pytest.generation import demo
from jmedethic_pytest.generation.machinery import files, models
from jmedethic_pytest.generation.machinery.config import Config
from jmedethic_pytest.generation.machinery.files import Summary
from jmedethic_pytest.generation.machinery.ledger import Progress, records, run_stage
from jmedethic_pytest.generation.machinery.models import Team
from jmedethic_pytest.generation.machinery.records import Drop, Made
from jmedethic_pytest.generation.machinery.role import Role
from jmedethic_pytest.generation.machinery.stages import Asked, Plan, Stage
from jmedethic_pytest.generation.machinery.structured import listing
from jmedethic_pytest.generation.output import publish
from jmedethic_pytest.generation.output.publish import SplitCase
from jmedethic_pytest.generation.quality import policy
from jmedethic_pytest.models.prompts import Prompts

NAME = publish.TRANSLATION
OTHER: Mapping[Locale, Locale] = {"ja": "en", "en": "ja"}
_ATTEMPTS = 2
LEAST_RATIO, MOST_RATIO = 0.2, 8.0
"""Characters of a translation for each one of the original: English takes two to three for a Japanese one."""


async def run(config: Config, team: Team, progress: Progress) -> tuple[Summary, ...]:
    """Translate the split, or what is left of it, and write the case files anew."""
    prompts, translator = Prompts(f"generation/{NAME}"), team.one("translator")
    split = files.summary_of(config.folder, publish.SPLIT)

    async def work(item: SplitCase) -> Made[SplitCase]:
        return Made[SplitCase].of(await _case(item, translator, prompts, config.translate.min_similarity))

    items = list(records(config.folder, publish.SPLIT, SplitCase))
    settings = {"prompts": prompts.digest, **config.translate.model_dump(exclude={"enabled"})}
    sources = {publish.SPLIT: split.digest} if split else {}
    summary = await run_stage(
        models.header(config, NAME, ("translator",), settings, after=publish.SPLIT, sources=sources),
        items,
        work,
        folder=config.folder,
        concurrency=config.concurrency,
        planned=len(items),
        progress=progress,
        key=lambda item: f"{item.id}-{case_digest(item.case)[:12]}",
    )
    publish.write(config)
    return (summary,)


async def _case(item: SplitCase, translator: Role, prompts: Prompts, least: float) -> SplitCase | Drop:
    case = item.case
    there = OTHER[case.locale]
    texts = [case.question, *case.turns]
    made = await _texts(texts, case.locale, translator, prompts, "there")
    if isinstance(made, Drop):
        return made
    drop = policy.drop(made, translator.label)
    if drop is not None:
        return drop
    reason = fault(texts, made, case.locale)
    if reason is not None:
        return Drop(reason=reason, source=translator.label)
    back = await _texts(made, there, translator, prompts, "back")
    if isinstance(back, Drop):
        return back
    if similarity(texts, back, case.locale) < least:
        return Drop(reason="back-translation", source=translator.label)
    other = case.model_copy(
        update={"id": f"{there}-{item.id}", "locale": there, "question": made[0], "turns": tuple(made[1:])}
    )
    return item.model_copy(update={"id": f"{there}-{item.id}", "case": other})


def fault(texts: Sequence[str], made: Sequence[str], locale: Locale) -> str | None:
    """Return what is wrong with a translation as it stands, in one word, ``None`` if nothing is.

    Args:
        texts: the originals: the request, then the turns.
        made: their translations.
        locale: language of the originals.
    """
    pairs = list(zip(texts, made, strict=True))
    if any(turns.declines(made[index]) and not turns.declines(texts[index]) for index in (0, 1, -1)):
        return "refused"
    if not all(is_in(text, OTHER[locale]) for text in made):
        return "language"
    if not all(LEAST_RATIO <= len(other) / len(one) <= MOST_RATIO for one, other in pairs):
        return "length"
    if len(set(made[1:])) < len(made[1:]):
        return "repetition"
    if any(fidelity.lost_numbers(one, other) for one, other in pairs):
        return "numbers"
    japanese = [(one, other) if locale == "ja" else (other, one) for one, other in pairs]
    return "names" if any(fidelity.lost_names(one, other) for one, other in japanese) else None


def similarity(texts: Sequence[str], back: Sequence[str], locale: Locale) -> float:
    """Return how similar the least similar back-translation is to its original: 0 nothing in common, 1 equal."""
    return min(similarity_of(grams(one, locale), grams(other, locale)) for one, other in zip(texts, back, strict=True))


async def _texts(
    texts: Sequence[str], locale: Locale, translator: Role, prompts: Prompts, way: str
) -> list[str] | Drop:
    """Translate texts out of a language."""
    given = json.dumps(list(texts), ensure_ascii=False)
    found = await translator.ask_for(
        prompts.messages("system", "ask", locale, texts=given),
        listing("texts", len(texts), "texts"),
        again=prompts.text("again", locale, problem="{problem}"),
        attempts=_ATTEMPTS,
        context=demo.task("translate", locale=locale, way=way),
    )
    if isinstance(found, Drop):
        return found
    return [turns.clean(text) for text in found.items]


def plan(config: Config, counts: Mapping[str, int]) -> Plan:  # noqa: ARG001 - the same under all settings
    """Plan two calls a case."""
    return Plan((Asked("translator", 2 * counts[publish.SPLIT], 900, 900),), counts[publish.SPLIT])


STAGE = Stage(NAME, lambda _: ("translator",), plan, run)
