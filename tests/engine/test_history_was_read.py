"""A server that cuts the prompt to its context is found out by the tokens it counts."""

from __future__ import annotations

import pytest

from jmedethic_pytest.core.records import Reply, Usage
from jmedethic_pytest.engine.history import unread


def reply(tokens: int | None) -> Reply:
    return Reply(text="r", usage=Usage(input=tokens, output=5))


@pytest.mark.parametrize(
    ("counts", "cut"),
    [
        ((113, 2050, 2050), True),
        ((113, 1900, 1700), True),
        ((2048, 1024), True),
        ((113, 2000, 2050), True),
        ((113, 900, 1700), False),
        ((10, 10, 10), False),
        ((None, 50, 40), False),
        ((50, 400, None), False),
        ((500,), False),
    ],
)
def test_prompt_must_grow_by_what_was_added(counts: tuple[int | None, ...], cut: bool) -> None:
    found = unread([reply(count) for count in counts[:-1]], "あ" * 1600, reply(counts[-1]))
    assert (found is not None) == cut
    assert found is None or f"{counts[-1]:,} tokens" in found
