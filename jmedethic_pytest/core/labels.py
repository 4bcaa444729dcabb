"""What selecting and planning need of a case: all but its texts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from jmedethic_pytest.core.languages import Locale


class Labelled(Protocol):
    """A case, or its label (:class:`jmedethic_pytest.cases.index.Label`)."""

    @property
    def id(self) -> str:
        """Its id."""

    @property
    def stem(self) -> str:
        """The id without its locale prefix."""

    @property
    def locale(self) -> Locale:
        """Its language."""

    @property
    def guideline(self) -> str:
        """Id of its guideline."""

    @property
    def strategy(self) -> str:
        """Id of its strategy."""

    @property
    def suites(self) -> tuple[str, ...]:
        """The suites it belongs to."""

    @property
    def twin_of(self) -> str | None:
        """Stem of the case whose twin it is, if it is one."""

    @property
    def turns(self) -> Sequence[Any]:
        """Its user turns, or as many of anything; of a conversation with branches the common ones."""

    @property
    def length(self) -> int:
        """User turns of the whole conversation."""

    @property
    def reference(self) -> Sequence[Any]:
        """Its reference replies, or as many of anything."""
