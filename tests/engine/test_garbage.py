"""Garbage collection while an engine runs."""

from __future__ import annotations

import gc

import pytest

from jmedethic_pytest.engine.garbage import fewer_collections


def test_it_is_rarer_inside_and_as_before_afterwards_even_after_an_error() -> None:
    before, frozen = gc.get_threshold(), gc.get_freeze_count()

    def run() -> None:
        with fewer_collections():
            assert gc.get_threshold()[0] > before[0]
            assert gc.get_freeze_count() > frozen
            raise ValueError("inside")

    with pytest.raises(ValueError, match="inside"):
        run()
    assert (gc.get_threshold(), gc.get_freeze_count()) == (before, 0)


def test_whoever_has_switched_it_off_keeps_it_off() -> None:
    gc.disable()
    try:
        with fewer_collections():
            assert not gc.isenabled()
        assert not gc.isenabled()
    finally:
        gc.enable()
