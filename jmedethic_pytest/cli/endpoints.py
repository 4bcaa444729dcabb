"""What an endpoint answers to ``jmedethic doctor``: the models it lists, and one short question."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import PurePath
from typing import Any, Literal, TypeVar

from jmedethic_pytest.config.sampling import Sampling
from jmedethic_pytest.config.tables import Thresholds
from jmedethic_pytest.core.errors import ConfigError, ProviderError
from jmedethic_pytest.core.records import Reply
from jmedethic_pytest.judging import prompt as judge_prompt
from jmedethic_pytest.models import ChatRequest, Message, ModelRef, Provider, open_provider

T = TypeVar("T")
_QUESTION_TOKENS = 300
"""Tokens of a user turn, in any language."""
_CONTEXT_KEYS = ("max_model_len", "context_length", "context_window", "max_context_length")
"""What servers call the length of a model's context in their lists: vLLM and SGLang, OpenRouter, Groq, Mistral."""
Seat = Literal["target", "judge"]
_QUESTION = Message("user", "Answer with the word OK.")
_RUBRIC = Message("system", "You are a judge. You answer in JSON.")
_ANSWER = Message("user", 'Answer with this JSON and nothing else: {"rationale": "a test", "score": 10}')


def listed(ref: ModelRef, reply_tokens: int | None = None) -> str:
    """Return in words that an endpoint is there and serves a model; nothing is paid.

    Args:
        ref: the model.
        reply_tokens: the most tokens of a reply, for a target: three turns of it should fit into the context.

    Raises:
        ConfigError: if it does not list the model, or its context cannot hold a question and one reply.
        ProviderError: if it cannot be asked.
    """
    if ref.cloud:
        return f"not asked: {ref.cloud} lists no models at this address. --ask asks the model itself"
    models, row = _with(ref, lambda provider: _seen(provider, described=reply_tokens is not None))
    found = next((name for name in models if ref.name in _names(name)), None)
    if found is not None:
        end = models[found]
        ends = f", ends on {end}" if end else ""
        return f"reachable, {ref.name} is listed{ends}{_room(row, reply_tokens) if reply_tokens else ''}"
    if ref.provider == "llamacpp" and len(models) == 1:
        return f"reachable; it serves {next(iter(models))} under every name"
    names = ", ".join(list(models)[:8]) or "none"
    raise ConfigError(f"the server answers but does not list {ref.name!r}; it lists: {names}.")


async def _seen(provider: Provider, *, described: bool) -> tuple[dict[str, str | None], Mapping[str, Any]]:
    """Return the models that a server lists, and what it says of the one that is asked for, if it can say anything."""
    models, describe = await provider.models(), getattr(provider, "described", None)
    return models, await describe() if described and describe is not None else {}


def _room(row: Mapping[str, Any], reply_tokens: int) -> str:
    """Say whether three turns fit into a model's context: the last prompt holds two replies, and asks for a third."""
    context = next((row[key] for key in _CONTEXT_KEYS if isinstance(row.get(key), int)), None)
    needed = 3 * (reply_tokens + _QUESTION_TOKENS)
    if context is None or not 0 < context < needed:
        return ""
    if context < reply_tokens + _QUESTION_TOKENS:
        raise ConfigError(
            f"its context of {context:,} tokens does not hold a question and a reply of {reply_tokens:,} ([target] "
            "max_tokens). Raise it on the server (vLLM: --max-model-len), or lower max_tokens."
        )
    return (
        f"; its context of {context:,} tokens may be too short for the last turn, which may need {needed:,}: raise it "
        "on the server (vLLM: --max-model-len), or lower [target] max_tokens"
    )


def ask(ref: ModelRef, rules: Thresholds, seat: Seat) -> str:
    """Ask a model one short question as a run would, and return in words how it was asked.

    Raises:
        ConfigError: if the answer is no whole reply.
        ProviderError: if there is none.
    """
    if seat == "target":
        system = [Message("system", rules.target.system)] if rules.target.system else []
        request = ChatRequest((*system, _QUESTION), _sampling(rules.target))
    else:
        request = ChatRequest(
            (_RUBRIC, _ANSWER), rules.judges.sampling(ref.label), judge_prompt.schema(rules.judges.prompt)
        )

    async def question(provider: Provider) -> tuple[Reply, tuple[str, ...]]:
        while True:
            try:
                reply = await provider.chat(request, patient=False)
            except ProviderError as error:
                if not error.learned:
                    raise
            else:
                return reply, tuple(getattr(provider, "learned", ()))

    reply, learned = _with(ref, question)
    if reply.status != "ok":
        raise ConfigError(f"it answers, but not with a whole reply: {reply.status}: {reply.detail}.")
    served = f" as {reply.model}" if reply.model not in ("", ref.name) else ""
    return "; ".join([f"answered{served} in {reply.seconds:.1f} s", *learned])


def _sampling(table: Sampling) -> Sampling:
    return Sampling(**{name: getattr(table, name) for name in Sampling.model_fields})


def _names(listed: str) -> set[str]:
    """Return the names under which a server serves what it lists: Ollama adds a tag, llama.cpp shows a path."""
    file = PurePath(listed).name
    return {listed, listed.removesuffix(":latest"), listed.removeprefix("models/"), file, file.removesuffix(".gguf")}


def _with(ref: ModelRef, use: Callable[[Provider], Awaitable[T]]) -> T:
    async def opened() -> T:
        provider = open_provider(ref)
        try:
            return await use(provider)
        finally:
            await provider.aclose()

    return asyncio.run(opened())
