"""Transports to models. Importing this package imports no SDK; opening a provider imports the one it needs."""

from __future__ import annotations

import logging

from jmedethic_pytest.models.base import ChatRequest, Message, ModelRef, Observer, Provider
from jmedethic_pytest.models.registry import plugins, resolve, retirement

__all__ = ["ChatRequest", "Message", "ModelRef", "Observer", "Provider", "open_provider", "resolve", "retirement"]


def open_provider(ref: ModelRef, observe: Observer | None = None) -> Provider:
    """Return the transport of a model; must be called inside the event loop that will use it.

    Args:
        ref: the model.
        observe: told status and headers of every answer, also of those the SDK retries by itself.
    """
    _quieten()
    if ref.kind == "openai":
        from jmedethic_pytest.models.openai import OpenAIProvider

        return OpenAIProvider(ref, observe)
    if ref.kind == "anthropic":
        from jmedethic_pytest.models.anthropic import AnthropicProvider

        return AnthropicProvider(ref, observe)
    provider: Provider = plugins()[ref.kind].load()(ref)
    return provider


def _quieten() -> None:
    """Keep requests out of log files, which pytest shows: an SDK logs whole conversations, and addresses with keys."""
    for name in ("openai", "anthropic", "httpx2", "httpx", "httpcore"):
        logger = logging.getLogger(name)
        logger.setLevel(max(logger.level, logging.WARNING))
