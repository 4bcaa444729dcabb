"""A call in a trace, against a server: what it was asked, what it gave, how it failed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from jmedethic_pytest.config.sampling import Sampling
from jmedethic_pytest.models import ChatRequest, Message, ModelRef, pauses
from jmedethic_pytest.models.client import Client
from support.traces import traced

__all__ = ["traced"]

pytestmark = pytest.mark.asyncio


async def test_every_attempt_is_a_span_that_says_how_it_ended(
    server: Any, ref: Callable[..., ModelRef], traced: Callable[[], list[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pauses, "FIRST", 0.001)
    answers = [server.error(503, "you said TOP-SECRET"), "done, TOP-SECRET"]
    server.script = lambda seen: answers.pop(0)
    client = Client("target", ref(kind="openai"), None)
    await client.chat(ChatRequest((Message("user", "TOP-SECRET"),), Sampling(timeout=20.0, temperature=0.5)))
    await client.aclose()
    failed, answered = traced()
    assert failed.attributes["error.type"] == "503"
    assert failed.status.status_code.name == "ERROR"
    assert not failed.events
    assert "error.type" not in answered.attributes
    assert answered.attributes["gen_ai.request.temperature"] == 0.5
    assert answered.attributes["gen_ai.usage.output_tokens"] > 0
    assert answered.attributes["gen_ai.response.finish_reasons"] == ("stop",)
    assert answered.attributes["jmedethic.reply.status"] == "ok"
    assert not any("SECRET" in span.to_json() for span in (failed, answered))
