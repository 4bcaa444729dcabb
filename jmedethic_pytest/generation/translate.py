"""Stage ``translate``: the split in the other language, each case checked by translating it back.

The paper names "equivalent English benchmarks" without saying how they were made. Here a pair shares the stem of its
id, and is kept only if the back-translation is similar enough and every number survived.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache

from pydantic import BaseModel, field_validator

from jmedethic_pytest.casecheck.alignment import numbers
from jmedethic_pytest.generation import conversations, demo, files, language, models, publish
from jmedethic_pytest.generation.config import Config
from jmedethic_pytest.generation.files import Summary, header
from jmedethic_pytest.generation.ledger import Progress, records, run_stage
from jmedethic_pytest.generation.likeness import grams, likeness
from jmedethic_pytest.generation.models import Team
from jmedethic_pytest.generation.prompting import Prompts
from jmedethic_pytest.generation.publish import SplitCase
from jmedethic_pytest.generation.records import Drop, Made
from jmedethic_pytest.generation.role import Role
from jmedethic_pytest.generation.stages import Asked, Plan, Stage
from jmedethic_pytest.taxonomy import Locale

NAME = publish.TRANSLATION
OTHER: Mapping[Locale, Locale] = {"ja": "en", "en": "ja"}
_ATTEMPTS = 2


@lru_cache(maxsize=8)
def _exactly(count: int) -> type[BaseModel]:
    class Texts(BaseModel):
        texts: list[str]

        @field_validator("texts")
        @classmethod
        def _as_many(cls, value: list[str]) -> list[str]:
            if len(value) != count:
                raise ValueError(f"{len(value)} texts, {count} are wanted")
            return value

    return Texts


async def run(config: Config, team: Team, progress: Progress) -> tuple[Summary, ...]:
    """Translate the split, or what is left of it, and write the case files anew."""
    prompts, translator = Prompts(NAME), team.one("translator")
    split = files.summary_of(config.folder, publish.SPLIT)

    async def work(item: SplitCase) -> Made[SplitCase]:
        made = await _case(item, translator, prompts, config.translate.min_similarity)
        return Made(drops=(made,)) if isinstance(made, Drop) else Made(records=(made,))

    items = list(records(config.folder, publish.SPLIT, SplitCase))
    head = header(
        NAME,
        roles=models.labels(models.needed(config, ("translator",))),
        settings={
            "prompts": prompts.digest,
            "split": split.digest if split else "",
            **config.translate.model_dump(exclude={"enabled"}),
            **models.sampling_of(config, ("translator",)),
        },
        simulated=team.simulated or files.simulated(config.folder, publish.SPLIT),
    )
    summary = await run_stage(
        head, items, work, folder=config.folder, key=lambda item: item.id, concurrency=config.concurrency,
        planned=len(items), progress=progress,
    )  # fmt: skip
    publish.write(config)
    return (summary,)


async def _case(item: SplitCase, translator: Role, prompts: Prompts, least: float) -> SplitCase | Drop:
    case = item.case
    there = OTHER[case.locale]
    texts = [case.question, *case.turns]
    made = await _texts(texts, case.locale, translator, prompts, "there")
    if isinstance(made, Drop):
        return made
    back = await _texts(made, there, translator, prompts, "back")
    if isinstance(back, Drop):
        return back
    reason = fault(texts, made, back, case.locale, least)
    if reason is not None:
        return Drop(reason=reason, source=translator.label)
    other = case.model_copy(
        update={"id": f"{there}-{item.id}", "locale": there, "question": made[0], "turns": tuple(made[1:])}
    )
    return item.model_copy(update={"id": f"{there}-{item.id}", "case": other})


def fault(texts: list[str], made: list[str], back: list[str], locale: Locale, least: float) -> str | None:
    """Return what is wrong with a translation, in one word, ``None`` if it may be kept.

    Args:
        texts: the originals.
        made: their translations.
        back: the translations translated back.
        locale: language of the originals.
        least: least similarity (0 nothing in common, 1 equal) of each back-translation to its original.
    """
    there = OTHER[locale]
    if not all(language.is_in(text, there) for text in made):
        return "language"
    if any(numbers(one) != numbers(other) for one, other in zip(texts, made, strict=True)):
        return "numbers"
    if conversations.unfit(tuple(made[1:]), there) in ("length", "repetition"):
        return "length"
    alike = [likeness(grams(one, locale), grams(other, locale)) for one, other in zip(texts, back, strict=True)]
    return "back-translation" if min(alike) < least else None


async def _texts(texts: list[str], locale: Locale, translator: Role, prompts: Prompts, way: str) -> list[str] | Drop:
    """Translate texts out of a language."""
    given = json.dumps(texts, ensure_ascii=False)
    found = await translator.ask_for(
        prompts.messages("system", "ask", locale, texts=given), _exactly(len(texts)),
        again=prompts.text("again", locale, problem="{problem}"), attempts=_ATTEMPTS,
        label=demo.label("translate", locale=locale, way=way),
    )  # fmt: skip
    if isinstance(found, Drop):
        return found
    return [" ".join(text.split()) for text in getattr(found, "texts")]  # noqa: B009 - a model made at run time


def plan(config: Config, counts: Mapping[str, int]) -> Plan:  # noqa: ARG001 - the same under all settings
    """Plan two calls a case."""
    return Plan((Asked("translator", 2 * counts[publish.SPLIT], 900, 900),), counts[publish.SPLIT])


STAGE = Stage(NAME, lambda _: ("translator",), plan, run)
