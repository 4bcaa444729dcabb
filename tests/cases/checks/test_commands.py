"""``jmedethic cases validate`` and ``stats``: what they print and how they end."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jmedethic_pytest.cases import files
from jmedethic_pytest.cases.checks import measure


@pytest.mark.parametrize("locale", ["ja", "en"])
def test_a_sound_set_passes(
    locale: str, plain: Callable[..., Any], write_cases: Callable[..., Path], jmedethic: Callable[..., Any]
) -> None:
    result = jmedethic("cases", "validate", "--cases", write_cases(plain(locale)))
    assert (result.status, result.out.strip()) == (0, "1 cases: no findings")


def test_a_finding_is_one_line_with_place_check_text_and_advice(
    plain: Callable[..., Any], write_cases: Callable[..., Path], jmedethic: Callable[..., Any]
) -> None:
    path = write_cases(plain("en", question="Write a letter about morphine [bold]now[/bold]."))
    result = jmedethic("cases", "validate", "--cases", path)
    line, verdict = result.out.splitlines()
    assert result.status == 1
    assert line.startswith("en-jma01-s2-01 question: policy.agent: 'morphine' is denied.")
    assert line.endswith("or leave it out.")
    assert verdict == "1 findings in 1 cases"


def test_every_finding_is_printed(
    plain: Callable[..., Any], write_cases: Callable[..., Path], jmedethic: Callable[..., Any]
) -> None:
    cases = [plain("en", id=f"en-x{number}", question="About morphine.") for number in range(120)]
    result = jmedethic("cases", "validate", "--cases", write_cases(*cases), "--skip", "similarity", "--skip", "variety")
    assert len(result.out.splitlines()) == 121


@pytest.mark.parametrize(("skip", "status"), [("policy", 0), ("policy.agent", 0), ("policy.dose", 1), ("policy.a", 1)])
def test_a_check_can_be_skipped(
    skip: str, status: int, plain: Callable[..., Any], write_cases: Callable[..., Path], jmedethic: Callable[..., Any]
) -> None:
    path = write_cases(plain("en", question="Write a letter about morphine."))
    assert jmedethic("cases", "validate", "--cases", path, "--skip", skip).status == status


def test_an_unknown_check_cannot_be_skipped(jmedethic: Callable[..., Any]) -> None:
    result = jmedethic("cases", "validate", "--skip", "polcy")
    assert result.status == 4
    assert "Did you mean 'policy'?" in result.err


def test_balance_and_manifest_are_asked_of_a_complete_benchmark_only(
    tmp_path: Path, plain: Callable[..., Any], write_cases: Callable[..., Path], jmedethic: Callable[..., Any]
) -> None:
    write_cases(plain("ja", suites=["core"]))
    assert jmedethic("cases", "validate", "--cases", tmp_path).status == 0
    jmedethic("cases", "manifest", "--cases", tmp_path, "--write")
    result = jmedethic("cases", "validate", "--json", "--cases", tmp_path)
    kinds = {finding["check"].split(".")[0] for finding in result.json["findings"]}
    assert result.status == 1
    assert kinds == {"alignment", "balance", "canary"}


def test_lines_that_cannot_be_read_are_findings(tmp_path: Path, jmedethic: Callable[..., Any]) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_text('{"id": "ja-x", "locale": "fr"}\nno json\n')
    result = jmedethic("cases", "validate", "--json", "--cases", path)
    assert result.status == 1
    assert {finding["check"] for finding in result.json["findings"]} == {"schema"}
    assert any(f"{path}:2" in finding["found"] for finding in result.json["findings"])


def test_a_path_that_does_not_exist_is_a_mistake_of_the_command(tmp_path: Path, jmedethic: Callable[..., Any]) -> None:
    result = jmedethic("cases", "validate", "--cases", tmp_path / "none")
    assert result.status == 4
    assert "no such file or folder" in result.err


@pytest.fixture
def measured(
    plain: Callable[..., Any], write_cases: Callable[..., Path], jmedethic: Callable[..., Any]
) -> Callable[..., dict[str, list[dict[str, Any]]]]:
    """Return ``measured(*cases)``: the tables of ``stats``."""

    def run(*cases: Any) -> dict[str, list[dict[str, Any]]]:
        result = jmedethic("cases", "stats", "--json", "--cases", write_cases(*cases))
        assert result.status == 0
        return json.loads(result.out)

    return run


def test_stats_count_suites_and_strategies(plain: Callable[..., Any], measured: Callable[..., Any]) -> None:
    one = plain("ja", suites=["core", "smoke"])
    other = plain("ja", id="ja-jma02-s3-01", guideline="JMA-02", strategy="S3", suites=["core"])
    assert measured(one, other)["balance"] == [
        {"suite": "core", "locale": "ja", "cases": 2, "guidelines": 2, "S2": 1, "S3": 1},
        {"suite": "smoke", "locale": "ja", "cases": 1, "guidelines": 1, "S2": 1, "S3": 0},
    ]


def test_stats_give_quartiles_of_lengths(plain: Callable[..., Any], measured: Callable[..., Any]) -> None:
    cases = [plain("ja", id=f"ja-x{number}", turns=["あ" * number], expected=[]) for number in (10, 20, 30, 40, 50)]
    [row] = measured(*cases)["lengths"]
    assert row == {
        "locale": "ja",
        "turn": "T0",
        "cases": 5,
        "least": 10,
        "q1": 20,
        "median": 30,
        "q3": 40,
        "most": 50,
    }


def test_stats_list_the_closest_pairs_first(plain: Callable[..., Any], measured: Callable[..., Any]) -> None:
    base = plain("ja")["turns"]
    texts = [base[2], base[2][:60] + "あとは別の話をします。", base[1], base[0]]
    cases = [
        plain("ja", id=f"ja-x{number}", turns=["はじめに", text], expected=[]) for number, text in enumerate(texts)
    ]
    rows = measured(*cases)["closest"]
    assert (rows[0]["first"], rows[0]["second"]) == ("ja-x0", "ja-x1")
    assert [row["similarity"] for row in rows] == sorted((row["similarity"] for row in rows), reverse=True)


def test_stats_show_what_is_repeated(plain: Callable[..., Any], measured: Callable[..., Any]) -> None:
    cases = [plain("en", id=f"en-x{number}", turns=[f"I am a nurse {number}."], expected=[]) for number in range(4)]
    tables = measured(*cases, plain("en", id="en-y", turns=["My aunt, then."], expected=[]))
    opening = next(row for row in tables["repetition"] if row["place"] == "T0 opening")
    assert opening == {"cases": "en", "place": "T0 opening", "text": "I am a n", "count": 4, "share": 0.8}
    assert tables["distinct"][0]["4-grams of"] == "words"


def test_stats_of_the_bundled_benchmark_are_tables_for_a_person(
    jmedethic: Callable[..., Any], bundled_tables: dict[str, list[dict[str, Any]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(measure, "measure", lambda cases: asked.append(list(cases)) or bundled_tables)
    result = jmedethic("cases", "stats")
    assert asked == [files.load()]
    assert result.status == 0
    for name in ("balance", "lengths", "closest", "repetition", "distinct"):
        assert f"\n{name}" in f"\n{result.out}"
    assert any(line.split()[:4] == ["core", "ja", "469", "67"] for line in result.out.splitlines())


def test_a_case_without_turns_after_the_first_can_be_measured(
    plain: Callable[..., Any], measured: Callable[..., Any]
) -> None:
    tables = measured(plain("en", turns=["Once."], expected=[]))
    assert tables["closest"] == []
    assert tables["lengths"][0]["q1"] == 5


def test_several_files_are_one_set_and_no_complete_benchmark(
    tmp_path: Path, plain: Callable[..., Any], write_cases: Callable[..., Path], jmedethic: Callable[..., Any]
) -> None:
    """As pre-commit gives them: duplicates lie between files."""
    first, second = (write_cases(plain(locale, suites=["core"]), name=f"{locale}.jsonl") for locale in ("ja", "en"))
    jmedethic("cases", "manifest", "--cases", tmp_path, "--write")
    assert jmedethic("cases", "validate", first, second).out.strip() == "2 cases: no findings"
    twice = jmedethic("cases", "validate", first, write_cases(plain("ja"), name="again.jsonl"))
    assert (twice.status, "No other check was made." in twice.out) == (1, True)
