"""Stage ``validate``: other models answer each question once; it is kept if enough of them refuse (paper, section 3.1).

A question that strong models answer without hesitation is not harmful enough to test anything. Two files: ``answers``
has one item for each question and validator, so that no paid answer is lost; ``validate`` follows from it and holds
the questions that are kept.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from itertools import groupby

from pydantic import BaseModel

from jmedethic_pytest.core.errors import ConfigError
from jmedethic_pytest.core.files import sha256
from jmedethic_pytest.core.languages import Locale
from jmedethic_pytest.core.records import Reply
from jmedethic_pytest.generation.demo import task
from jmedethic_pytest.generation.machinery import models
from jmedethic_pytest.generation.machinery.config import Config
from jmedethic_pytest.generation.machinery.files import Summary
from jmedethic_pytest.generation.machinery.ledger import Progress, derive, records, run_stage
from jmedethic_pytest.generation.machinery.models import Team
from jmedethic_pytest.generation.machinery.records import Answer, Drop, Made, Question, short_digest
from jmedethic_pytest.generation.machinery.role import Role, kind
from jmedethic_pytest.generation.machinery.stages import Asked, Plan, Stage
from jmedethic_pytest.generation.stages.questions import NAME as QUESTIONS
from jmedethic_pytest.judging import fence, refusal
from jmedethic_pytest.models import Message, ModelRef
from jmedethic_pytest.models.prompts import Prompts

NAME = "validate"
ANSWERS = "answers"


class _Verdict(BaseModel):
    refused: bool


class _Item(BaseModel):
    """One question for one validator."""

    question: Question
    validator: int


def check_sides(config: Config) -> None:
    """Refuse a validator that is also a generator: it would judge its own questions.

    One name at two providers is one model (``openai:gpt-4.1`` and ``openrouter:openai/gpt-4.1``).

    Raises:
        ConfigError: naming every such model.
    """
    found = models.needed(config, ("generators", "validators"))
    writers = {_model(ref) for ref in found["generators"]}
    both = [ref.label for ref in found["validators"] if _model(ref) in writers]
    if both:
        raise ConfigError(
            [
                f"roles: {name!r} is a generator and a validator: it would decide about its own questions. "
                "Choose another model for one side, or accept it with --force."
                for name in both
            ]
        )


def _model(ref: ModelRef) -> str:
    return ref.name.rsplit("/", 1)[-1].lower()


async def run(config: Config, team: Team, progress: Progress) -> tuple[Summary, ...]:
    """Ask the validators, or what is left to ask, and draw the conclusion."""
    validators, prompts = team.all("validators"), Prompts(f"generation/{NAME}")
    judge = team.one("refusal_judge") if _uses_judge(config) else None

    async def work(item: _Item) -> Made[Answer]:
        return await _answer(item.question, validators[item.validator], judge, prompts, config)

    def items() -> Iterator[_Item]:
        for question in records(config.folder, QUESTIONS, Question):
            for index in range(len(validators)):
                yield _Item(question=question, validator=index)

    head = models.header(
        config,
        ANSWERS,
        _roles(config),
        {"keywords": refusal.digest(), "prompts": prompts.digest, "keep_answers": config.keep_answers},
        after=QUESTIONS,
    )
    count = sum(1 for _ in records(config.folder, QUESTIONS, Question))
    answers = await run_stage(
        head,
        items(),
        work,
        folder=config.folder,
        progress=progress,
        concurrency=config.concurrency,
        key=lambda item: _id(item.question, validators[item.validator]),
        planned=count * len(validators),
    )
    settings = {**head.settings, **config.validate_.model_dump(include={"mode", "keep_at"})}
    concluded = head.model_copy(update={"stage": NAME, "settings": settings})
    kept = derive(concluded, conclude(config, len(validators)), folder=config.folder)
    return answers, kept


def conclude(config: Config, validators: int) -> Iterator[tuple[str, Made[Question]]]:
    """Yield for every question whether it is kept; one that the missing answers could still save is undecided.

    Args:
        config: the settings; answers are read from its folder.
        validators: how many answers each question should have.
    """
    answers = groupby(records(config.folder, ANSWERS, Answer), key=lambda answer: answer.question)
    refusals = {question: [refused(answer, config) for answer in found] for question, found in answers}
    for question in sorted(records(config.folder, QUESTIONS, Question), key=lambda item: item.id):
        given = refusals.get(question.id, [])
        yes, unknown = given.count(True), validators - given.count(True) - given.count(False)
        if yes >= config.validate_.keep_at:
            found: Question | Drop = question
        elif yes + unknown >= config.validate_.keep_at:
            detail = f"{yes} refused, {unknown} answers missing"
            found = Drop(reason="undecided", detail=detail, source=question.generator)
        else:
            found = Drop(reason="answered", detail=f"{yes} of {validators} refused", source=question.generator)
        yield question.id, Made[Question].of(found)


def refused(answer: Answer, config: Config) -> bool | None:
    """Return whether an answer refuses by the mode that decides, ``None`` if it cannot be told."""
    return answer.judge if config.validate_.mode == "judge" else answer.keyword


async def _answer(
    question: Question, validator: Role, judge: Role | None, prompts: Prompts, config: Config
) -> Made[Answer]:
    reply = await validator.ask((Message("user", question.text),), context=task("answer", locale=question.locale))
    if reply.status == "error":
        return Made(drops=(Drop(reason="transport", detail=kind(reply.detail), again=True, source=validator.label),))
    keyword = by_keyword(reply)
    judged: bool | None = None
    drops: tuple[Drop, ...] = ()
    if judge is not None and reply.status == "ok":
        found = await _judge(judge, question, reply.text, prompts)
        judged = found.refused if isinstance(found, _Verdict) else None
        drops = (found,) if isinstance(found, Drop) else ()
    record = Answer(
        id=_id(question, validator),
        question=question.id,
        validator=validator.label,
        keyword=keyword,
        judge=judged,
        status=reply.status,
        answer_digest=sha256(reply.text),
        answer=reply.text if config.keep_answers else "",
    )
    return Made(records=(record,), drops=drops)


def _id(question: Question, validator: Role) -> str:
    """Name one answer: by question, so that the finished file has all answers to a question together."""
    return f"{question.id}/{short_digest(validator.label, str(validator.client.ref.base_url))}"


def by_keyword(reply: Reply) -> bool | None:
    """Return whether a reply refuses by keywords, ``None`` if it cannot be told.

    A reply that was cut answers if it did not begin with a refusal; one that did may have gone on to comply. A block
    by the provider's filter says nothing about the model.
    """
    if reply.status == "ok":
        return reply.finish == "refusal" or refusal.refuses(reply.text)
    if reply.status == "truncated" and len(reply.text) >= refusal.BEGINNING:
        return None if refusal.refuses(reply.text[: refusal.BEGINNING]) else False
    return None


async def _judge(judge: Role, question: Question, answer: str, prompts: Prompts) -> _Verdict | Drop:
    data = json.dumps(
        {"request": fence.neutralise(question.text), "answer": fence.neutralise(answer)},
        ensure_ascii=False,
        indent=0,
    )
    locale: Locale = question.locale
    messages = prompts.messages("system", "ask", locale, data=data, nonce=short_digest(data))
    again = prompts.text("again", locale, problem="{problem}")
    return await judge.ask_for(messages, _Verdict, again=again, context=task("refusal", locale=locale))


def _uses_judge(config: Config) -> bool:
    return config.validate_.mode == "judge" or (config.validate_.compare and bool(config.roles.refusal_judge))


def _roles(config: Config) -> tuple[str, ...]:
    return ("validators", "refusal_judge") if _uses_judge(config) else ("validators",)


def plan(config: Config, counts: Mapping[str, int]) -> Plan:
    """Plan one answer of each validator to each question; the paper's 58 % of the questions are expected to stay."""
    calls = counts[QUESTIONS] * len(config.roles.validators)
    asked = [Asked("validators", calls, 130, 600)]
    if _uses_judge(config):
        asked.append(Asked("refusal_judge", calls, 1100, 12))
    return Plan(tuple(asked), round(counts[QUESTIONS] * 0.578))


STAGE = Stage(NAME, _roles, plan, run, files=(ANSWERS, NAME))
