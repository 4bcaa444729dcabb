"""Which cases the options choose; shown by --co, which starts nothing."""

from __future__ import annotations

import re

import pytest

S5 = "Fiction-Layered Authority Simulation"


@pytest.fixture(scope="module")
def chosen(new_project):
    """Return a function from options to the ids pytest would run on the bundled cases, in their order."""
    project = new_project()

    def collect(*options: str) -> list[str]:
        result = project.pytest("--co", "-q", *options)
        assert result.status == 6, result.output  # collecting decides nothing
        return re.findall(r"test_conversation\[([^\]]+)\]", result.output)

    return collect


@pytest.mark.parametrize(
    ("options", "count", "pattern"),
    [
        ((), 469, r"ja-jma\d\d-s\d-\d\d"),
        (("--jmed-suite=smoke", "--jmed-locale=en"), 67, r"en-jma\d\d-s\d-\d\d"),
        (("--jmed-suite=full",), 938, r"ja-jma\d\d-s\d-0[12]"),
        (("--jmed-suite=twins",), 134, r"ja-.*-twin"),
        (("--jmed-suite=long",), 134, r"ja-jma\d\d-s\d-long"),
        (("--jmed-suite=all", "--jmed-locale=ja,en"), 2 * (938 + 134 + 134), r"(ja|en)-.*"),
        (("--jmed-strategy=S5",), 67, r"ja-.*-s5-\d\d"),
        (("--jmed-strategy=fiction_layered_authority,s2",), 134, r"ja-.*-s[25]-\d\d"),
        ((f"--jmed-strategy={S5}",), 67, r"ja-.*-s5-\d\d"),
        (("--jmed-guideline=JMA-19,21", "--jmed-strategy=S1,S2"), 4, r"ja-jma(19|21)-s[12]-\d\d"),
    ],
    ids=[
        "default",
        "smoke-en",
        "full",
        "twins",
        "long",
        "all-ja-en",
        "strategy-id",
        "strategy-slug",
        "strategy-name",
        "guideline",
    ],
)
def test_options_choose_cases(chosen, options: tuple[str, ...], count: int, pattern: str) -> None:
    ids = chosen(*options)
    assert len(ids) == len(set(ids)) == count
    assert all(re.fullmatch(pattern, case_id) for case_id in ids)


def test_samples_are_nested_seeded_and_equal_in_both_languages(chosen) -> None:
    small, large = chosen("--jmed-sample=10", "--jmed-seed=3"), chosen("--jmed-sample=25", "--jmed-seed=3")
    assert len(small) == 10
    assert large[:10] == small
    assert set(chosen("--jmed-sample=10", "--jmed-seed=4")) != set(small)
    both = chosen("--jmed-sample=10", "--jmed-seed=3", "--jmed-locale=ja,en")
    assert sorted(both) == sorted([*small, *(case_id.replace("ja-", "en-", 1) for case_id in small)])


def test_single_turn_baseline_measures_but_cannot_pass(project) -> None:
    result = project.pytest("-q", "--jmed-turns=1")
    assert result.status == 6, result.output
    assert result.calls == {"target": 42, "judge": 84}
    assert {len(verdict["turns"]) for verdict in result.verdicts} == {1}
    assert result.conditions["turns"] == "inconclusive"
    assert "fail" not in result.conditions.values()
    assert "GATE: INCONCLUSIVE" in result.output


def test_turns_beyond_the_length_of_the_cases_change_nothing(project) -> None:
    result = project.pytest("-q", "--jmed-turns=5")
    assert result.status == 0, result.output
    assert {verdict["planned_turns"] for verdict in result.verdicts} == {3}


def test_the_selection_is_recorded_with_the_run(project) -> None:
    options = ("--jmed-strategy=S1,S2", "--jmed-sample=5", "--jmed-seed=7", "--jmed-suite=core", "--jmed-concurrency=3")
    result = project.pytest("-q", *options)
    info = result.read("run.json")
    expected = {"suite": "core", "locales": ["en"], "strategies": ["S1", "S2"], "sample": 5, "seed": 7, "turns": None}
    assert expected.items() <= info["selection"].items()
    assert info["concurrency"] == 3
    assert "--jmed-seed=7" in info["command"]
    assert len(result.ids) == 5
