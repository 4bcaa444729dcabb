"""Stage ``questions``: every generator writes n harmful questions against every guideline (paper, section 3.1).

The item is a guideline. Its generators are asked at the same time and read in the order of the file, so that what is a
duplicate does not depend on who answers first. A generator that gave too few is asked again, told how the questions it
has so far begin; what is missing after that stays missing and is counted.
"""

from __future__ import annotations

import asyncio
import unicodedata
from collections.abc import Mapping

from pydantic import BaseModel

from jmedethic_pytest.cases.checks.ngrams import closest, grams
from jmedethic_pytest.cases.checks.policy import denied
from jmedethic_pytest.core.vocabulary import Guideline
from jmedethic_pytest.generation.demo import task
from jmedethic_pytest.generation.machinery import guidelines, models
from jmedethic_pytest.generation.machinery.config import Config
from jmedethic_pytest.generation.machinery.files import Summary
from jmedethic_pytest.generation.machinery.ledger import Progress, run_stage
from jmedethic_pytest.generation.machinery.models import Team
from jmedethic_pytest.generation.machinery.records import Drop, Made, Question, short_digest
from jmedethic_pytest.generation.machinery.role import Role
from jmedethic_pytest.generation.machinery.stages import Asked, Plan, Stage
from jmedethic_pytest.models.prompts import Prompts

NAME = "questions"
SHORTEST = 12
"""Characters of the shortest text that counts as a question."""
LONGEST = 1200
_SHOWN = 40
"""Characters of a question's beginning that a generator is shown when it is asked again."""


class _Questions(BaseModel):
    questions: list[str]


class _Pool:
    """The questions of one guideline as they come in, and what is dropped on the way."""

    def __init__(self, config: Config, guideline: Guideline, digest: str) -> None:
        self.kept: dict[str, list[Question]] = {}
        self.drops: list[Drop] = []
        self._config = config
        self._guideline = guideline
        self._digest = digest
        self._grams: list[frozenset[str]] = []

    def lacking(self, generator: str) -> int:
        """Return how many questions a generator still owes."""
        return self._config.questions.per_model - len(self.kept.setdefault(generator, []))

    def take(self, generator: str, answer: _Questions | Drop, asked: int) -> None:
        """Keep what is new in an answer, up to the number asked for."""
        if isinstance(answer, Drop):
            self.drops.append(answer)
            return
        for text in answer.questions:
            if self.lacking(generator) <= 0:
                self.drops.append(Drop(reason="surplus", source=generator))
            else:
                self._take(generator, " ".join(unicodedata.normalize("NFKC", text).split()), asked)

    def _take(self, generator: str, text: str, asked: int) -> None:
        reason, found = self._unfit(text), grams(text, self._config.locale)
        if reason is None and closest(found, self._grams) > self._config.questions.max_similarity:
            reason = "duplicate"
        if reason is not None:
            self.drops.append(Drop(reason=reason, source=generator))
            return
        self._grams.append(found)
        key = short_digest(self._guideline.id, self._config.locale, text)
        self.kept[generator].append(
            Question(
                id=f"q-{self._guideline.id.lower()}-{key}",
                guideline=self._guideline.id,
                locale=self._config.locale,
                text=text,
                generator=generator,
                prompt=self._digest[:12],
                asked=asked,
            )
        )

    def _unfit(self, text: str) -> str | None:
        if not SHORTEST <= len(text) <= LONGEST:
            return "length"
        return "policy" if denied(text) is not None else None

    def made(self) -> Made[Question]:
        """Return the questions in the order of the generators, and one drop for each that is missing."""
        missing = [
            Drop(reason="missing", detail="fewer than asked for", source=generator)
            for generator in self.kept
            for _ in range(self.lacking(generator))
        ]
        return Made(
            records=tuple(question for questions in self.kept.values() for question in questions),
            drops=(*self.drops, *missing),
        )


async def run(config: Config, team: Team, progress: Progress) -> tuple[Summary, ...]:
    """Write the questions, or those that are left to write."""
    prompts, chosen = Prompts(f"generation/{NAME}"), guidelines.choose(config)
    generators = team.all("generators")

    async def work(guideline: Guideline) -> Made[Question]:
        pool = _Pool(config, guideline, prompts.digest)
        for asked in range(config.questions.top_ups + 1):
            short = [role for role in generators if pool.lacking(role.label) > 0]
            answers = await asyncio.gather(*(_ask(role, guideline, pool, prompts, config, asked) for role in short))
            for role, answer in zip(short, answers, strict=True):
                pool.take(role.label, answer, asked)
        return pool.made()

    settings = {
        "prompts": prompts.digest,
        "guidelines": config.guidelines,
        "locale": config.locale,
        **config.questions.model_dump(),
    }
    summary = await run_stage(
        models.header(config, NAME, ("generators",), settings),
        chosen.guidelines.values(),
        work,
        folder=config.folder,
        progress=progress,
        key=lambda item: f"{item.id}-{short_digest(*item.title.values(), *item.summary.values())}",
        concurrency=config.concurrency,
        planned=len(chosen.guidelines),
    )
    return (summary,)


async def _ask(
    role: Role, guideline: Guideline, pool: _Pool, prompts: Prompts, config: Config, asked: int
) -> _Questions | Drop:
    """Ask one generator for what it owes; a repeated request says what is there already."""
    locale, count = config.locale, pool.lacking(role.label)
    told = {"title": guideline.title[locale], "summary": guideline.summary[locale], "count": count}
    system, user = prompts.messages("system", "ask", locale, **told)
    known = [f"- {question.text[:_SHOWN]}…" for question in pool.kept[role.label]]
    if known:
        more = prompts.text("more", locale, known="\n".join(known))
        user = user._replace(content=f"{user.content}\n\n{more}")
    return await role.ask_for(
        (system, user),
        _Questions,
        again=prompts.text("again", locale, problem="{problem}"),
        repeat=asked,
        context=task("question", locale=locale, count=count, title=" ".join(guideline.title[locale].split())),
    )


def plan(config: Config, counts: Mapping[str, int]) -> Plan:
    """Plan one call of each generator for each guideline, and one in ten again."""
    calls = counts["guidelines"] * len(config.roles.generators)
    made = calls * config.questions.per_model
    return Plan((Asked("generators", calls + calls // 10, 900, 90 * config.questions.per_model),), made)


STAGE = Stage(NAME, lambda _: ("generators",), plan, run)
