"""The pace at which Python looks for garbage."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from jmedethic_pytest.core import garbage
from support import collector


@pytest.fixture(autouse=True)
def nothing_aside(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Begin with the collector as a run finds it, and set aside again what the tests do."""
    monkeypatch.setattr(gc, "get_freeze_count", collector.count)
    monkeypatch.setattr(gc, "freeze", collector.freeze)
    gc.unfreeze()
    yield
    gc.freeze()


def test_the_pace_that_was_found_is_put_back_by_the_last_engine() -> None:
    found = gc.get_threshold()
    first, second = garbage.searched_rarely(), garbage.searched_rarely()
    first.__enter__()
    second.__enter__()
    assert gc.get_threshold() == garbage.PACE
    first.__exit__(None, None, None)
    assert gc.get_threshold() == garbage.PACE
    second.__exit__(None, None, None)
    assert (gc.get_threshold(), gc.get_freeze_count()) == (found, 0)


def test_an_engine_within_a_command_sets_nothing_more_aside() -> None:
    with garbage.searched_rarely():
        aside = gc.get_freeze_count()
        left = [[number] for number in range(1000)]
        with garbage.searched_rarely():
            assert gc.get_freeze_count() <= aside, "what lies about would stay until the command ends"
        assert len(left) == 1000


def test_what_others_have_set_aside_stays_aside() -> None:
    gc.freeze()
    with garbage.searched_rarely():
        assert gc.get_freeze_count() > 0
    assert gc.get_freeze_count() > 0
