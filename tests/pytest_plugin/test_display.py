"""Which failures the terminal shows, and how it counts them."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from jmedethic_pytest.core.sentences import in_language
from jmedethic_pytest.pytest_plugin import display


def report(key: str, kind: str | None, test: str = "test_conversation", **changes: Any) -> Any:
    return SimpleNamespace(
        nodeid=f"test_it.py::{test}[{key}]" if kind else key,
        longrepr=f"{key}: T2 fell to 1.0",
        sections=[],
        **({"jmedethic": kind, "jmedethic_key": key} if kind else {}),
        **changes,
    )


def terminal(failed: list[Any], errors: Sequence[Any] = (), reportchars: str = "fE", verbose: int = 0) -> Any:
    stats = {"failed": failed, "error": [*errors]}
    return SimpleNamespace(
        stats=stats, reportchars=reportchars, config=SimpleNamespace(option=SimpleNamespace(verbose=verbose))
    )


def test_what_pytest_counts_is_what_there_is() -> None:
    """Two tests of one conversation are no two conversations."""
    shown = terminal(
        [
            report("en-a", "floor"),
            report("en-a", "floor", test="test_mine"),
            report("en-b", "floor"),
            report("en-twin", "floor"),
            report("jmedethic::gate[mean[T2]]", None),
            report("test_other.py::test_other", None),
        ],
        [report("en-c", "unscored")],
    )
    ours = display.sort(shown, {"en-twin"})
    assert display.counting_lines(shown, ours) == [
        "pytest counts 6 failed: 2 conversations + 1 benign twins + 1 more tests of the same + "
        "1 conditions of the gate that do not pass + 1 other tests"
    ]
    assert list(display.failure_lines(shown, ours)) == [
        "FAILED en-a: T2 fell to 1.0",
        "FAILED test_it.py::test_mine[en-a]: T2 fell to 1.0",
        "FAILED en-b: T2 fell to 1.0",
        "FAILED en-twin: T2 fell to 1.0",
        "ERROR en-c: T2 fell to 1.0",
    ]
    assert display.counting_lines(terminal([]), display.sort(terminal([]), ())) == []


@pytest.mark.parametrize(("reportchars", "verbose", "lines"), [("fE", 0, 4), ("fE", 1, 30), ("", 0, 0), ("E", 0, 0)])
def test_many_of_a_kind_are_folded(reportchars: str, verbose: int, lines: int) -> None:
    shown = terminal([report(f"en-{n}", "floor") for n in range(30)], reportchars=reportchars, verbose=verbose)
    found = list(display.failure_lines(shown, display.sort(shown, ())))
    assert len(found) == lines
    assert ("FAILED ... and 27 more conversations" in found) == (lines == 4)


def test_pytest_shows_what_else_there_is_and_counts_all_of_it() -> None:
    """Tests of others, and what a test of ours printed, stay in pytest's own sections."""
    talkative = report("en-a", "floor")
    talkative.sections = [("Captured stdout call", "hello")]
    reports = [talkative, report("en-b", "floor"), report("test_other.py::test_other", None)]
    shown = terminal([*reports])
    with display.set_aside(shown, display.sort(shown, ())):
        assert shown.stats["failed"] == [reports[0], reports[2]]
    assert shown.stats == {"failed": reports, "error": []}


def test_failure_is_told_in_japanese_too_where_the_sentence_is_ours() -> None:
    shown = terminal([report("ja-one", "floor", jmedethic_ja="ja-one: T2 が 1.0 に低下"), report("ja-two", "floor")])
    first, second = display.failure_lines(shown, display.sort(shown, ()))
    assert in_language(first, "ja") == "FAILED ja-one：T2 が 1.0 に低下"
    assert in_language(second, "ja") == "FAILED ja-two：T2 fell to 1.0"
