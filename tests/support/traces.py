"""Spans of OpenTelemetry, kept in memory by a real SDK in place of none."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import pytest


@pytest.fixture
def traced(monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[Any]]:
    """Set up an SDK, and return what gives the spans that have ended."""
    if find_spec("opentelemetry.sdk") is None:
        pytest.skip("NOT TESTED: needs the SDK of OpenTelemetry (pip install 'jmedethic-pytest[dev]')")
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    kept, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(kept))
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: provider)
    return lambda: list(kept.get_finished_spans())
