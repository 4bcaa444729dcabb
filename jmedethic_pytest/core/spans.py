"""A run as a trace of OpenTelemetry: run, conversation, call. Never what was said in one.

Whoever wants traces sets up an SDK of OpenTelemetry in the process; nothing of it is imported here. Without one a span
is one object that does nothing, and what would describe it is not even put together.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self

from jmedethic_pytest import _version
from jmedethic_pytest.core.errors import ProviderError

Value = str | int | float | bool | Sequence[str] | None
"""Of an attribute; one that is ``None`` is left out."""
Described = Mapping[str, Value]


class Span:
    """A piece of a run in a trace, and the parent of what is begun while it is entered; this one is none.

    It ends when it is left, or by :meth:`end`.
    """

    def inside(self, name: str, described: Callable[[], Described]) -> Span:  # noqa: ARG002 - this one is none
        """Begin a span within this one, whatever thread or task it is begun in."""
        return self

    def note(self, described: Callable[[], Described]) -> None:
        """Add attributes."""

    def failed(self, kind: str) -> None:
        """Mark it as failed, by a word that is no text of anybody."""

    def end(self) -> None:
        """End it; a second time has no effect."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        pass


class _Real(Span):
    def __init__(self, api: Any, real: Any) -> None:
        self._api, self._real = api, real
        self._entered: Any = None

    def inside(self, name: str, described: Callable[[], Described]) -> Span:
        return begin(name, described, parent=self._api.set_span_in_context(self._real))

    def note(self, described: Callable[[], Described]) -> None:
        self._real.set_attributes({key: value for key, value in described().items() if value is not None})

    def failed(self, kind: str) -> None:
        self._real.set_attribute("error.type", kind)
        self._real.set_status(self._api.StatusCode.ERROR)

    def end(self) -> None:
        if self._real.is_recording():
            self._real.end()

    def __enter__(self) -> Self:
        # What an error says may quote a conversation, so the SDK is not given any.
        self._entered = self._api.use_span(self._real, record_exception=False, set_status_on_exception=False)
        self._entered.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if kind is not None:
            found = (error.http_status, error.trouble) if isinstance(error, ProviderError) else ()
            self.failed(next((str(word) for word in found if word), kind.__name__))
        self._entered.__exit__(None, None, None)
        self.end()


NOTHING = Span()
"""What stands for a span where nobody listens."""


def begin(name: str, described: Callable[[], Described], *, call: bool = False, parent: Any = None) -> Span:
    """Begin a span, if an SDK is set up.

    Args:
        name: of the span.
        described: returns its first attributes; called only if there is a span.
        call: whether it is a call to another process.
        parent: context of the SDK; ``None`` for the one of the task.
    """
    api = sys.modules.get("opentelemetry.trace")
    if api is None:
        return NOTHING
    provider = api.get_tracer_provider()
    if isinstance(provider, api.ProxyTracerProvider | api.NoOpTracerProvider):
        return NOTHING
    tracer = provider.get_tracer("jmedethic-pytest", _version.VERSION)
    kind = api.SpanKind.CLIENT if call else api.SpanKind.INTERNAL
    attributes = {key: value for key, value in described().items() if value is not None}
    return _Real(api, tracer.start_span(name, parent, kind, attributes))
