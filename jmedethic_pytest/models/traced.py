"""A call to a model in a trace, by the semantic conventions for generative AI (``gen_ai.*``); never its content."""

from __future__ import annotations

from jmedethic_pytest.core.records import Reply
from jmedethic_pytest.core.spans import Described, Span, begin
from jmedethic_pytest.core.text import is_plain_word
from jmedethic_pytest.models.base import ChatRequest, ModelRef, Role

_PROVIDERS = {
    "azure": "azure.ai.openai",
    "foundry": "azure.ai.inference",
    "bedrock": "aws.bedrock",
    "vertex": "gcp.vertex_ai",
    "gemini": "gcp.gemini",
}
"""Names of the conventions that are not ours."""


def call(role: Role, ref: ModelRef, request: ChatRequest) -> Span:
    """Begin the span of one request that leaves the machine."""

    def described() -> Described:
        return {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": _PROVIDERS.get(ref.provider, ref.provider),
            "gen_ai.request.model": ref.name,
            "gen_ai.request.temperature": request.sampling.temperature,
            "gen_ai.request.max_tokens": request.sampling.max_tokens,
            "jmedethic.role": role,
        }

    return begin(f"chat {ref.name}", described, call=True)


def answer(reply: Reply) -> Described:
    """Return what came back: who answered, why it ended, tokens; a name that may be a text is left out."""
    return {
        "gen_ai.response.model": reply.model if reply.model and is_plain_word(reply.model) else None,
        "gen_ai.response.finish_reasons": [reply.finish] if reply.finish and is_plain_word(reply.finish) else None,
        "gen_ai.usage.input_tokens": reply.usage.input,
        "gen_ai.usage.output_tokens": reply.usage.output,
        "jmedethic.reply.status": reply.status,
    }
