"""``leaderboard``, ``agreement``, ``languages`` and ``plan`` on stored runs, as a user calls them."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from jmedethic_pytest import evaluate

CASES = 40


class Stored(NamedTuple):
    """Runs that all tests of this module read."""

    aligned: str
    eroding: str
    regressed: str
    english: str
    """``demo:regressed`` in English."""
    other_judges: str
    """``demo:eroding``, the judges in the other order."""
    fewer: str
    """``demo:eroding`` on half of the cases."""
    private: str
    """``demo:eroding`` on other cases, of some of the guidelines."""


@pytest.fixture(scope="module")
def made(once: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Stored]:
    """Run four models once; each test works on a copy."""
    root, names = once("several-runs", lambda: _made(tmp_path_factory.mktemp("several")))
    return root, Stored(*names)


def _made(root: Path) -> tuple[Path, tuple[str, ...]]:
    lines = [json.dumps(_case(locale, number)) + "\n" for locale in ("ja", "en") for number in range(CASES)]
    (root / "cases.jsonl").write_text("".join(lines), encoding="utf-8")
    private = [
        {
            **_case("ja", number),
            "id": f"ja-private-{number:02d}",
            "turns": [f"Other {number}, turn {n}" for n in range(3)],
        }
        for number in range(0, CASES, 2)
    ]
    (root / "private.jsonl").write_text("".join(json.dumps(case) + "\n" for case in private), encoding="utf-8")
    old = Path.cwd()
    os.chdir(root)
    try:
        names = (
            _run("demo:aligned"),
            _run("demo:eroding"),
            _run("demo:regressed"),
            _run("demo:regressed", locale="en"),
            _run("demo:eroding", judges="demo:judge-lenient,demo:judge-strict"),
            _run("demo:eroding", sample=str(CASES // 2)),
            _run("demo:eroding", cases="private.jsonl"),
        )
    finally:
        os.chdir(old)
    return root, names


def _case(locale: str, number: int) -> dict[str, Any]:
    return {
        "id": f"{locale}-case-{number:02d}",
        "locale": locale,
        "guideline": f"JMA-{1 + number % 10:02d}",
        "strategy": f"S{1 + number % 7}",
        "suites": ["core"],
        "turns": [f"Question {number}, turn {turn}" for turn in range(3)],
    }


def _run(model: str, **options: Any) -> str:
    return evaluate(model, **{"cases": "cases.jsonl", "report": "off", **options}).info.id


@pytest.fixture
def runs(made: tuple[Path, Stored], folder: Path) -> Stored:
    shutil.copytree(made[0] / "reports", folder / "reports", symlinks=True)
    shutil.copy(made[0] / "cases.jsonl", folder)
    return made[1]


def errors(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith("ERROR: ")]


# ---------------------------------------------------------------- leaderboard


def test_leaderboard_orders_models_and_pairs_a_fine_tune(cli: Callable[..., Any], runs: Stored) -> None:
    answer = cli("leaderboard", runs.eroding, runs.aligned, runs.regressed, "--pair", "demo:aligned:demo:regressed")
    assert answer.status == 0, answer.err
    shown = [line.split()[0] for line in answer.out.splitlines() if line.startswith("demo:") and "minus" not in line]
    assert shown == ["demo:aligned", "demo:regressed", "demo:eroding"]
    assert "SIMULATION" in answer.out
    assert "demo:regressed minus demo:aligned, paired by conversation (40 pairs):" in answer.out


def test_leaderboard_shows_the_gap_of_public_and_private(cli: Callable[..., Any], runs: Stored) -> None:
    answer = cli("leaderboard", runs.aligned, runs.eroding, "--private", runs.private)
    assert answer.status == 0, answer.err
    assert "demo:eroding: public minus private (" in answer.out
    (gap,) = cli("leaderboard", runs.aligned, runs.eroding, "--private", runs.private, "--json").json["gaps"]
    assert gap["guidelines"] == 5
    assert gap["public"] == gap["private"] == CASES // 2
    assert gap["mean"]["value"] == pytest.approx(gap["public_mean"] - gap["private_mean"])
    assert gap["mean"]["low"] < gap["mean"]["value"] < gap["mean"]["high"]
    assert gap["pass_rate"]["value"] is not None


def test_a_private_run_is_of_a_listed_model_and_of_other_conversations(cli: Callable[..., Any], runs: Stored) -> None:
    alone = cli("leaderboard", runs.aligned, "--private", runs.private)
    assert (alone.status, "of which 0 runs are listed" in alone.err) == (4, True)
    public = cli("leaderboard", runs.eroding, "--private", runs.fewer)
    assert (public.status, "so it is not private" in public.err) == (4, True)


def test_leaderboard_as_json(cli: Callable[..., Any], runs: Stored) -> None:
    board = cli("leaderboard", runs.aligned, runs.eroding, "--json").json
    assert [entry["model"] for entry in board["entries"]] == ["demo:aligned", "demo:eroding"]
    assert board["entries"][0]["n"] == CASES
    assert board["entries"][0]["mean"]["method"] == "cluster t"
    assert board["forced"] == []


def test_leaderboard_as_a_table_for_a_paper(cli: Callable[..., Any], runs: Stored) -> None:
    answer = cli("leaderboard", runs.aligned, runs.eroding, "--format", "latex")
    assert answer.status == 0, answer.err
    assert answer.out.startswith("% ")
    assert answer.out.index("{demo:aligned} &") < answer.out.index("{demo:eroding} &") < answer.out.index("bottomrule")
    assert cli("leaderboard", runs.aligned, "--format", "latx").status == 4


@pytest.mark.parametrize("way", ["options", "file"])
def test_groups_by_options_or_file(cli: Callable[..., Any], runs: Stored, folder: Path, way: str) -> None:
    (folder / "groups.toml").write_text('[groups]\nsafe = ["demo:a*"]\nunsafe = ["demo:eroding", "demo:regressed"]\n')
    options = ["--group", "safe=demo:aligned", "--group", f"unsafe={runs.eroding},demo:regressed"]
    given = ["--groups", "groups.toml"] if way == "file" else options
    answer = cli("leaderboard", runs.aligned, runs.eroding, runs.regressed, *given, "--json")
    assert answer.status == 0, answer.err
    groups = {group["name"]: group["models"] for group in answer.json["groups"]["groups"]}
    assert groups == {"safe": ["demo:aligned"], "unsafe": ["demo:eroding", "demo:regressed"]}
    assert answer.json["groups"]["pairs"] == []
    assert not any(group["tested"] for group in answer.json["groups"]["groups"])


def test_unlike_runs_are_refused_unless_forced_and_then_labelled(cli: Callable[..., Any], runs: Stored) -> None:
    answer = cli("leaderboard", runs.aligned, runs.other_judges, runs.fewer)
    assert answer.status == 4
    assert any(
        "judges differ: demo:judge-strict, demo:judge-lenient in demo:aligned" in line for line in errors(answer.err)
    )
    assert any("20 of the 40 evaluations of demo:aligned are not in every run" in line for line in errors(answer.err))
    forced = cli("leaderboard", runs.aligned, runs.other_judges, runs.fewer, "--force")
    assert forced.status == 0
    assert "UNLIKE RUNS: judges differ" in forced.out
    assert "20 evaluations in every run" in forced.out


def test_exam_gives_the_second_axis(cli: Callable[..., Any], runs: Stored, folder: Path) -> None:
    exam = {
        "schema_version": 1,
        "id": "e1",
        "model": "demo:aligned",
        "locale": "ja",
        "n": 60,
        "correct": 54,
        "accuracy": 0.9,
    }
    (folder / "reports" / "exams" / "e1").mkdir(parents=True)
    (folder / "reports" / "exams" / "e1" / "exam.json").write_text(json.dumps(exam))
    answer = cli("leaderboard", runs.aligned, runs.eroding, "--plots", "drawn")
    assert answer.status == 0, answer.err
    line = next(line for line in answer.out.splitlines() if line.startswith("demo:aligned"))
    assert line.endswith("90.0%  safe and helpful")
    assert {path.name for path in (folder / "drawn").iterdir()} >= {"leaderboard.png", "quadrant.png"}


@pytest.mark.parametrize(
    ("given", "parts"),
    [
        (["--group", "medical"], ("--group: 'medical'", "NAME=RUN")),
        (["--group", "a=demo:alined"], ("group 'a'", "Did you mean 'demo:aligned'?")),
        (["--group", "a=demo:aligned", "--group", "b=demo:*"], ("demo:aligned stands in 2 groups",)),
        (["--groups", "none.toml"], ("none.toml", "cannot be read")),
        (["--groups", "bad.toml"], ("bad.toml", "[groups]")),
        (["--pair", "demo:aligned:demo:nobody"], ("--pair", "BASE:TUNED")),
        (["--pair", "demo:aligned:demo:aligned"], ("--pair", "BASE:TUNED")),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bad_groups_and_pairs(
    cli: Callable[..., Any], runs: Stored, folder: Path, given: list[str], parts: tuple[str, ...]
) -> None:
    (folder / "bad.toml").write_text("[group]\na = 1\n")
    answer = cli("leaderboard", runs.aligned, runs.eroding, *given)
    assert answer.status == 4, answer.out
    assert len(errors(answer.err)) == 1
    assert all(part in answer.err for part in parts), answer.err


@pytest.mark.parametrize("command", ["leaderboard", "agreement", "languages"])
def test_runs_that_are_not_there_are_named_together(cli: Callable[..., Any], runs: Stored, command: str) -> None:
    answer = cli(command, "no-such-run", "nor-this")
    assert answer.status == 4
    assert [word for word in ("no-such-run", "nor-this") if word in answer.err] == ["no-such-run", "nor-this"]
    twice = cli(command, runs.aligned, runs.aligned[-4:])
    assert twice.status == 4
    assert "named already" in twice.err


# ---------------------------------------------------------------- agreement


def test_agreement_of_one_run_and_of_several(cli: Callable[..., Any], runs: Stored) -> None:
    one = cli("agreement", runs.eroding)
    assert one.status == 0, one.err
    assert "ICC(2,1)" in one.out
    assert "model means" not in one.out
    several = cli("agreement", runs.aligned, runs.eroding, runs.regressed, "--json").json
    assert several["judges"] == ["demo:judge-strict", "demo:judge-lenient"]
    assert several["pooled"]["n"] == 3 * 3 * CASES
    assert several["models"]["n"] == 3
    assert several["models"]["icc21"] is not None
    two = cli("agreement", runs.aligned, runs.eroding)
    assert "model means                  not estimable: 2 models; at least 3 are needed" in two.out


def test_agreement_counts_what_the_summary_counts(cli: Callable[..., Any], runs: Stored, folder: Path) -> None:
    found = cli("agreement", runs.eroding, "--json").json["runs"][0]["report"]
    stored = json.loads((folder / "reports" / "runs" / runs.eroding / "summary.json").read_text(encoding="utf-8"))
    for field in ("measurement_error", "contested", "hidden", "most_contested"):
        assert found[field] == stored["instruments"][field]
    for field in ("icc21", "icc2k", "alpha_ordinal", "reliability", "n"):
        assert found["turn_level"][field] == pytest.approx(stored["instruments"]["turn_level"][field])


def test_nearer_turns_can_be_called_contested(cli: Callable[..., Any], runs: Stored) -> None:
    wide, near = (cli("agreement", runs.eroding, "--contested", value, "--json").json for value in ("3", "0.5"))
    assert near["runs"][0]["report"]["contested"] > wide["runs"][0]["report"]["contested"]
    assert len(near["runs"][0]["report"]["most_contested"]) == 20


def test_items_over_several_models_as_text_table_and_plot(cli: Callable[..., Any], runs: Stored, folder: Path) -> None:
    shown = cli("agreement", "--items", runs.aligned, runs.eroding, runs.regressed, "--contested", "0.5")
    assert shown.status == 0, shown.err
    assert "nothing about a conversation" in shown.out, "scripted targets show the mechanism alone"
    assert f"{CASES} conversations, 3 runs, 3 models" in shown.out
    lines = (folder / "reports" / "items" / "items.csv").read_text(encoding="utf-8-sig").splitlines()
    assert len(lines) == 1 + CASES
    assert {"case", "again", "mean", "varies", "discrimination"} <= set(lines[0].split(","))
    assert (folder / "reports" / "items" / "items.svg").stat().st_size > 1_000
    two = cli("agreement", "--items", runs.aligned, runs.eroding, "--output", "elsewhere")
    assert "not estimable: 2 models; at least 3 are needed" in two.out
    assert sorted(path.name for path in (folder / "elsewhere").iterdir()) == ["items.csv"]


def test_agreement_of_unlike_panels_is_refused(cli: Callable[..., Any], runs: Stored) -> None:
    answer = cli("agreement", runs.eroding, runs.other_judges)
    assert answer.status == 4
    assert "judges differ" in answer.err


# ---------------------------------------------------------------- languages


def test_languages_of_two_runs(cli: Callable[..., Any], runs: Stored) -> None:
    answer = cli("languages", runs.regressed, runs.english)
    assert answer.status == 0, answer.err
    assert "40 conversations in both languages, 10 guidelines; 0 in one only" in answer.out
    assert "rubric" in answer.out
    found = cli("languages", runs.regressed, runs.english, "--json").json
    assert (found["first"], found["second"], found["pairs"]) == ("ja", "en", 40)
    assert {figure["name"] for figure in found["figures"]} == {"mean", "T0", "T1", "T2", "min", "pass_rate"}


def test_languages_of_one_run_equal_those_of_its_summary(
    cli: Callable[..., Any], folder: Path, runs: Stored, stored: Callable[[], Path]
) -> None:
    done = cli("run", "--model=demo:eroding", "--cases=cases.jsonl", "--locale=ja,en", "--sample=12", "--report=off")
    assert "en minus ja" in done.out
    summary = json.loads((stored() / "summary.json").read_text(encoding="utf-8"))
    found = cli("languages", "latest", "--json").json
    for field in ("pairs", "unpaired", "clusters", "figures"):
        assert found[field] == summary["languages"][field]


@pytest.mark.parametrize(
    ("which", "word"),
    [
        (["regressed"], "two languages"),
        (["aligned", "english"], "models differ"),
        (["regressed", "aligned"], "both runs hold conversations in ja"),
        (["aligned", "eroding", "english"], "3 runs were given"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, list) else "",
)
def test_what_is_no_pair_of_languages(cli: Callable[..., Any], runs: Stored, which: list[str], word: str) -> None:
    answer = cli("languages", *(getattr(runs, name) for name in which))
    assert answer.status == 4
    assert word in answer.err


# ---------------------------------------------------------------- plan


def test_plan_without_runs_says_what_it_assumes(cli: Callable[..., Any], folder: Path) -> None:
    answer = cli("plan")
    assert answer.status == 0, answer.err
    assert "sd 2.00, correlation within guidelines 0.020" in answer.out
    assert "assumed: no two comparable runs are stored" in answer.out
    tiers = {line[:13].strip(): line.split() for line in answer.out.splitlines()}
    assert tiers["smoke"][1] == "67"
    assert tiers["release"][1] == "469"
    assert not (folder / "reports").exists(), "a plan writes nothing"


def test_plan_takes_the_spread_from_comparable_runs(cli: Callable[..., Any], runs: Stored) -> None:
    found = cli("plan", "--model=demo:aligned", "--json").json
    assert not found["spread"]["assumed"]
    assert found["spread"]["pairs"] in (CASES, CASES // 2)
    assert found["spread"]["simulated"]
    real = cli("plan", "--model=openai:gpt-4o-mini", "--json").json
    assert real["spread"]["assumed"], "a simulation says nothing about a real model"


def test_plan_prices_a_model_without_its_key(cli: Callable[..., Any], folder: Path) -> None:
    found = cli("plan", "--model=openai:gpt-4o-mini", "--judges=openai:gpt-4o-mini,openai:gpt-4.1-mini", "--json").json
    costs = [tier["cost_usd"] for tier in found["tiers"]]
    assert costs == sorted(costs)
    assert costs[0] > 0
    assert [tier["calls"] for tier in found["tiers"]] == [tier["sample"] * 3 * 3 for tier in found["tiers"]]


def test_given_spread_and_margin(cli: Callable[..., Any], folder: Path) -> None:
    wide, narrow = (cli("plan", f"--margin={m}", "--sd=1.5", "--icc=0", "--json").json for m in ("0.6", "0.4"))
    assert (wide["spread"]["source"], wide["spread"]["assumed"]) == ("as given", False)
    assert wide["tiers"][1]["sample"] < narrow["tiers"][1]["sample"]
    unreachable = cli("plan", "--margin=0.05")
    assert "pull request: no number of cases of these guidelines shows 0.05" in unreachable.out
    assert unreachable.status == 0


def test_achieved_half_width(cli: Callable[..., Any], runs: Stored) -> None:
    alone = cli("plan", "--achieved", runs.regressed)
    assert alone.status == 0, alone.err
    assert "--against RUN" in alone.out
    found = cli("plan", "--achieved", runs.regressed, "--against", runs.aligned, "--json").json
    assert found["against"] == runs.aligned
    assert found["detects"] > found["figures"][0]["half_width"] > 0
    assert found["enough"] is (found["detects"] <= 0.3)
    refused = cli("plan", "--achieved", runs.regressed, "--against", runs.other_judges)
    assert refused.status == 4
    assert "judges differ" in refused.err


@pytest.mark.parametrize(
    ("given", "part"),
    [
        ("--margin=0", "--margin"),
        ("--power=1.5", "--power"),
        ("--alpha=0", "--alpha"),
        ("--sd=0", "--sd"),
        ("--icc=2", "--icc"),
        ("--true-drop=0.5", "--margin"),
        ("--against=x", "--achieved"),
        ("--model=opnai:x", "Did you mean 'openai'?"),
        ("--suite=cor", "'cor'"),
        ("--locale=fr", "'fr'"),
    ],
)
def test_bad_goals_are_exit_4(cli: Callable[..., Any], folder: Path, given: str, part: str) -> None:
    answer = cli("plan", given)
    assert answer.status == 4, answer.out
    assert part in answer.err


# ---------------------------------------------------------------- difficulty


def test_difficulty_of_the_cases_from_stored_runs(cli: Callable[..., Any], runs: Stored, folder: Path) -> None:
    done = cli(
        *("cases", "difficulty", runs.aligned, runs.regressed, runs.fewer, runs.private),
        *("--cases", "cases.jsonl", "--output", "difficulty.json"),
    )
    assert done.status == 0, done.err
    assert "shows how the method works, and nothing about a conversation" in done.err
    assert f"{CASES // 2} evaluations are of other texts than the case files hold" in done.out
    found = json.loads((folder / "difficulty.json").read_text(encoding="utf-8"))
    assert [(run["run"], run["evaluations"]) for run in found["runs"]] == [
        *((runs.aligned, CASES), (runs.regressed, CASES), (runs.fewer, CASES // 2), (runs.private, 0))
    ]
    assert sorted(item["models"] for item in found["cases"].values()) == [2] * (CASES // 2) + [3] * (CASES // 2)
    for item in found["cases"].values():
        assert item["t2_lowest"] <= item["t2"] <= item["t2_highest"]
        assert 0 <= item["spread"] <= 9
    stats = cli("cases", "stats", "--cases", "cases.jsonl", "--difficulty", "difficulty.json", "--json").json
    rows = {row["cases"]: row for row in stats["difficulty"]}
    assert (rows["ja"]["tier"], rows["ja"]["count"], rows["ja"]["measured"]) == ("none", CASES, CASES)
    assert (rows["en"]["measured"], rows["en"]["mean"]) == (0, "-")


def test_difficulty_needs_runs_that_were_judged_alike(cli: Callable[..., Any], runs: Stored) -> None:
    unlike = cli(
        *("cases", "difficulty", runs.aligned, runs.other_judges, "--cases", "cases.jsonl", "--output", "out.json")
    )
    assert (unlike.status, "judges differ" in unlike.err) == (4, True)
    missing = cli("cases", "stats", "--cases", "cases.jsonl", "--difficulty", "nowhere.json")
    assert (missing.status, "jmedethic cases difficulty" in missing.err) == (4, True)
