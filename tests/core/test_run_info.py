"""What a run says of its own selection."""

from __future__ import annotations

from typing import Any

import pytest

from jmedethic_pytest.core.run_info import RunInfo

ALL = {"suite": "all"}


def run(selection: dict[str, Any], **more: Any) -> RunInfo:
    return RunInfo(
        id="r",
        status="complete",
        started="",
        tool_version="0",
        target={"model": "demo:aligned", "kind": "demo"},
        judges=(),
        simulated=True,
        selection=selection,
        digests={"cases": "", "prompts": "", "thresholds": ""},
        concurrency=1,
        **more,
    )


@pytest.mark.parametrize(
    ("selection", "left"),
    [
        (ALL, False),
        ({"suite": "twins, all"}, False),
        ({}, True),
        ({"suite": "core"}, True),
        ({**ALL, "sample": 3}, True),
        ({**ALL, "strategies": ["S1"]}, True),
        ({**ALL, "guidelines": ["JMA-01"]}, True),
    ],
)
def test_cases_are_left_out_of_all_unless_all_were_asked_for(selection: dict[str, Any], left: bool) -> None:
    assert run(selection).left_out("all", "full") is left
    assert run(selection, unasked=1).left_out("all", "full")


def test_pack_suites_and_languages_are_named_together() -> None:
    chosen = {"pack": "eu", "suite": "core,twins", "locales": ["en", "de"]}
    assert run(chosen).chosen == "eu core,twins en,de"
    assert not run(chosen).left_out("core", "default")
    assert run({"locales": ["ja"]}).chosen == "default ja"
