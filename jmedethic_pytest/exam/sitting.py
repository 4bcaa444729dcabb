"""One sitting: every item asked once, at the same time within the endpoint's limits, read and marked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Literal

from jmedethic_pytest.config.sampling import Sampling
from jmedethic_pytest.core import languages
from jmedethic_pytest.core.errors import ProviderError
from jmedethic_pytest.core.files import digest
from jmedethic_pytest.core.records import Record, Usage
from jmedethic_pytest.exam.items import ExamItem
from jmedethic_pytest.exam.reading import read
from jmedethic_pytest.models import ChatRequest, Message
from jmedethic_pytest.models.client import Client

SAMPLING = Sampling(temperature=0.1, top_p=0.9, max_tokens=2048)
"""As in the paper (arXiv 2601.01627v2, section 4)."""

Mark = Literal["right", "wrong", "unreadable", "truncated", "empty", "blocked", "missing"]
"""``unreadable`` to ``blocked`` are answers of the model, and wrong; ``missing`` is none: the call failed."""

SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["answer"],
    "properties": {"answer": {"type": "array", "items": {"type": "string"}}},
}


class ItemResult(Record):
    """What became of one item."""

    id: str
    category: str
    mark: Mark
    given: tuple[str, ...] = ()
    """The letters the model committed to."""
    detail: str = ""
    """Why an answer is missing."""
    usage: Usage = Usage()
    cached: bool = False


_PROMPT = "exam_prompt.toml"


def prompt_digest() -> str:
    """Return the sha256 of the prompt texts and of the schema."""
    return digest([languages.together(_PROMPT), SCHEMA])


def messages(item: ExamItem) -> tuple[Message, ...]:
    """Return the chat that asks one item."""
    options = "\n".join(f"{letter}. {text}" for letter, text in sorted(item.options.items()))
    question = languages.word(item.locale, _PROMPT, "question").strip()
    asked = question.format(question=item.question, options=options, count=len(item.answers))
    return Message("system", languages.word(item.locale, _PROMPT, "system").strip()), Message("user", asked)


async def sit(
    client: Client,
    items: Sequence[ExamItem],
    *,
    sampling: Sampling = SAMPLING,
    done: Callable[[], None] = lambda: None,
) -> list[ItemResult]:
    """Ask every item once and return the results in the order of the items.

    Args:
        client: the examinee, with its cache, limits and budget.
        items: the exam.
        sampling: how it is asked.
        done: called after each item.

    Raises:
        RunAborted: if the endpoint is dead or the budget is spent; answers so far are in the cache.
    """

    async def one(item: ExamItem) -> ItemResult:
        result = await _ask(client, item, sampling)
        done()
        return result

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(item)) for item in items]
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from None
    return [task.result() for task in tasks]


async def _ask(client: Client, item: ExamItem, sampling: Sampling) -> ItemResult:
    request = ChatRequest(messages(item), sampling, SCHEMA, context={"answers": item.answers})
    try:
        reply = await client.chat(request)
    except ProviderError as error:
        return ItemResult(id=item.id, category=item.category, mark="missing", detail=str(error))
    given: tuple[str, ...] = ()
    mark: Mark
    if reply.status == "ok":
        letters = read(reply.text, item)
        given = letters or ()
        mark = "unreadable" if letters is None else "right" if given == tuple(sorted(item.answers)) else "wrong"
    else:
        mark = "missing" if reply.status == "error" or reply.status == "too_long" else reply.status
    return ItemResult(
        id=item.id, category=item.category, mark=mark, given=given, usage=reply.usage, cached=reply.cached
    )
