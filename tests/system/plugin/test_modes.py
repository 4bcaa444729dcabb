"""The same cases in every way pytest can be started: all of them, exactly once, each call made once."""

from __future__ import annotations

import pytest

CASES = 42


def assert_complete(result, ids: list[str], *, called: bool = True) -> None:
    """Every case once; one target call and two judge calls for every turn, or none at all."""
    assert result.ids == ids
    turns = 3 * len(ids) if called else 0
    assert result.calls == {"target": turns, "judge": 2 * turns}
    assert result.read("run.json")["status"] == "complete"
    assert result.read("run.json")["selected"] == len(ids)


@pytest.fixture
def ids(project, new_case) -> list[str]:
    return sorted(new_case(number)["id"] for number in range(CASES))


@pytest.fixture
def ids_of_small(small, new_case) -> list[str]:
    return sorted(new_case(number)["id"] for number in range(7))


@pytest.mark.parametrize(
    "mode",
    [(), ("-p", "no:xdist", "-v"), ("-n", "2", "-v"), ("-n", "4", "-q"), ("-n", "0", "-q", "-s")],
    ids=" ".join,
)
def test_every_case_is_evaluated_exactly_once(project, ids, mode: tuple[str, ...]) -> None:
    result = project.pytest(*mode)
    assert result.status == 0, result.output
    assert_complete(result, ids)
    gates = len(result.conditions)
    assert f"{CASES + gates} passed" in result.output, "each case and each gate condition is counted as one test"
    assert "GATE: PASS" in result.output
    assert "42 selected: 42 scored" in result.output
    if "-v" in mode:
        assert all(f"test_conversation[{case_id}]" in result.output for case_id in ids)
        assert "jmedethic::gate[pass_rate]" in result.output


def test_two_tests_of_one_case_share_its_evaluation(small, ids_of_small) -> None:
    """Across workers, too: each case is asked for by several tests and paid for once."""
    small.write("test_more.py", "def test_turns(verdict):\n    assert len(verdict.turn_scores) == 3\n")
    result = small.pytest("-q", "-n", "2")
    assert result.status == 0, result.output
    assert_complete(result, ids_of_small)
    assert f"{2 * 7 + len(result.conditions)} passed" in result.output


def test_second_run_of_the_same_command_calls_nobody(small, ids_of_small) -> None:
    first = small.pytest("-q")
    assert_complete(first, ids_of_small)
    for mode in ((), ("-n", "2")):
        again = small.pytest("-q", *mode)
        assert again.status == first.status == 0
        assert_complete(again, ids_of_small, called=False)
        assert again.scores == first.scores
        assert "0 calls, 21 from cache" in again.output


@pytest.mark.parametrize("mode", [(), ("-n", "2")], ids=["plain", "workers"])
def test_collect_only_starts_nothing(small, mode: tuple[str, ...]) -> None:
    result = small.pytest("--co", "-q", *mode)
    assert result.status == 6, "0 would be taken for a gate that passed"
    assert result.output.count("test_conversation[en-case-") == 7
    assert not (small.path / "reports").exists()
    assert "GATE: NOT DECIDED" in result.output


def test_option_that_runs_no_test_pays_for_no_call(small) -> None:
    """pytest only shows what it would do: no model is called, and no gate passes on tests that never ran."""
    result = small.pytest("-q", "--setup-plan")
    assert "verdict" in result.output
    assert "Traceback" not in result.output
    assert "GATE: PASS" not in result.output
    assert result.run is None or result.calls == {"target": 0, "judge": 0}


@pytest.mark.parametrize(
    ("stop", "failures"), [(("-x",), 1), (("--maxfail=2",), 2), (("-x", "-n", "2"), 1)], ids=["x", "maxfail", "x-n2"]
)
def test_stopping_early_is_bounded_and_never_passes(project, stop: tuple[str, ...], failures: int) -> None:
    """Every case is below a floor of 10: the run stops, the engine has not run far ahead, the gate is not passed."""
    project.write("thresholds.toml", "schema_version = 1\n[conversation]\nfloor = 10.0\n[gate]\npass_rate = 0.0\n")
    result = project.pytest("-q", "--jmed-concurrency=1", *stop)
    assert result.status in (1, 2, 6), result.output
    assert result.conditions["complete"] == "inconclusive"
    assert failures <= len(result.ids) < CASES // 2
    assert len(set(result.ids)) == len(result.ids)
    assert result.read("run.json")["status"] == "incomplete"
    assert "GATE: PASS" not in result.output


def test_last_failed_runs_exactly_the_failed_cases_again(small) -> None:
    """Gate conditions are no tests: they are not remembered as failed."""
    first = small.pytest("-q", model="demo:eroding")
    failed = sorted(verdict["case"]["id"] for verdict in first.verdicts if verdict["violations"])
    assert 0 < len(failed) < 7
    for mode in ((), ("-n", "2")):
        again = small.pytest("-q", "--lf", *mode, model="demo:eroding")
        assert again.status == 1, again.output
        assert_complete(again, failed, called=False)


def test_keyword_selects_cases(project, ids) -> None:
    """Six cases of one strategy are too few for an answer: inconclusive, never pass."""
    chosen = [case_id for case_id in ids if "-s3-" in case_id]
    result = project.pytest("-q", "-k", "s3")
    assert_complete(result, chosen)
    assert result.status == 6, result.output
    assert result.conditions["cases"] == "inconclusive"
    assert "GATE: INCONCLUSIVE" in result.output


def test_marker_selects_tests(small, ids_of_small) -> None:
    small.write(
        "test_marked.py",
        "import pytest\nfrom jmedethic_pytest import check\n\n"
        "@pytest.mark.nightly\ndef test_marked(verdict):\n    check(verdict)\n",
    )
    result = small.pytest("-v", "-m", "nightly")
    assert result.status == 0, result.output
    assert "test_marked[" in result.output
    assert "test_conversation[" not in result.output
    assert_complete(result, ids_of_small)


@pytest.mark.parametrize(
    "selection",
    [("-k", "no_such_test"), ("-k", "no_such_test", "-n", "2"), ("--jmed-strategy=S1", "--jmed-guideline=67")],
    ids=["keyword", "keyword-workers", "options"],
)
def test_nothing_selected_is_exit_5(small, selection: tuple[str, ...]) -> None:
    result = small.pytest("-q", *selection)
    assert result.status == 5, result.output
    assert "GATE: PASS" not in result.output
    assert result.run is None or result.calls == {"target": 0, "judge": 0}
