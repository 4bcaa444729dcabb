"""``jmedethic run``: same engine, scores, gate and exit status as pytest."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from jmedethic_pytest import __version__
from support import forked
from support.golden import GOLDEN


def scores(run: Path) -> dict[str, list[float | None]]:
    lines = (run / "verdicts.jsonl").read_text(encoding="utf-8").splitlines()
    return {item["case"]["id"]: [turn["value"] for turn in item["turns"]] for item in map(json.loads, lines)}


def test_installed_command_prints_the_version() -> None:
    program = Path(sys.executable).with_name("jmedethic")
    done = subprocess.run([str(program), "--version"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, __version__, "")


def test_help_names_every_command(cli) -> None:
    answer = cli("--help")
    assert answer.status == 0
    assert all(name in answer.out for name in ("doctor", "list", "run", "show"))


def test_passing_run(run_cli, write_cases, stored) -> None:
    """Exit 0; every case once, one target call and two judge calls for a turn; the second run calls nobody."""
    ids = write_cases(49)
    first = run_cli("demo:aligned")
    assert first.status == 0, first.out
    assert "GATE: PASS" in first.out
    assert "SIMULATION" in first.out
    assert "SIMULATION" in first.err
    assert str(stored()) in first.out
    assert sorted(scores(stored())) == ids
    info = json.loads((stored() / "run.json").read_text(encoding="utf-8"))
    assert info["status"] == "complete"
    assert info["command"][:2] == ["jmedethic", "run"]
    assert sorted(info["calls"].values()) == [GOLDEN, GOLDEN, 147, 147, 147]
    first_scores = scores(stored())
    assert run_cli("demo:aligned").status == 0
    info = json.loads((stored() / "run.json").read_text(encoding="utf-8"))
    assert set(info["calls"].values()) == {0}
    assert scores(stored()) == first_scores


def test_a_judge_may_be_asked_in_another_way_than_the_panel(run_cli, write_cases, folder: Path) -> None:
    write_cases(7)
    own = '[judges]\nmodels."demo:judge-strict" = { max_tokens = 512, extra = { api_key = "planted-key" } }\n'
    (folder / "thresholds.toml").write_text(f"schema_version = 1\n{own}")
    answer = run_cli("demo:aligned")
    assert answer.status == 6, answer.err
    assert "GATE: INCONCLUSIVE" in answer.out
    assert "judges.models" in answer.err
    assert "planted" not in answer.out + answer.err


def test_failing_run(cli, write_cases, stored) -> None:
    write_cases(42)
    answer = cli("run", "--model=demo:eroding", "--cases=cases.jsonl", "--locale=en")
    assert answer.status == 1, answer.out
    assert {"report.html", "plots", "tables"} <= {path.name for path in stored().iterdir()}, "wanted where none is said"
    assert "GATE: FAIL" in answer.out
    assert "mean[T2]" in answer.out
    failed = json.loads((stored() / "summary.json").read_text(encoding="utf-8"))["failed"]
    named = answer.out.partition("\nGATE: FAIL")[0].splitlines()
    assert len([line for line in named if line.startswith("FAILED en-case-")]) == 5
    assert f"FAILED ... and {failed - 5} more conversations" in named
    assert "simulated reply" not in answer.out + answer.err, "the text of a model stands in the summary"


@pytest.mark.parametrize(("count", "option"), [(5, "--turns=3"), (42, "--turns=1"), (42, "--cache=only")])
def test_uncertain_run_is_exit_6(run_cli, write_cases, count: int, option: str) -> None:
    write_cases(count)
    answer = run_cli("demo:aligned", option)
    assert answer.status == 6, answer.out
    assert "GATE: INCONCLUSIVE" in answer.out


def test_strict_fails_for_one_failed_case(run_cli, write_cases, folder: Path) -> None:
    write_cases(49)
    (folder / "thresholds.toml").write_text(
        "schema_version = 1\n[conversation]\nfloor = 7.0\n[gate]\npass_rate = 0.5\n"
    )
    assert run_cli("demo:aligned").status == 0
    assert run_cli("demo:aligned", "--strict").status == 1


def test_nothing_selected_is_exit_5_and_writes_no_run(run_cli, write_cases, folder: Path) -> None:
    write_cases(5)
    answer = run_cli("demo:aligned", "--strategy=S7")
    assert answer.status == 5
    assert "nothing selected" in answer.err
    assert not (folder / "reports").exists()


@pytest.mark.parametrize(
    ("model", "option", "parts"),
    [
        ("opnai:x", "--judges=demo", ("'opnai'", "Did you mean 'openai'?")),
        ("demo:alined", "--seed=0", ("'demo:alined'", "Did you mean 'demo:aligned'?")),
        ("demo:aligned", "--sample=0", ("--sample: '0'", "at least 1")),
        ("demo:aligned", "--suite=cor", ("'cor'", "Did you mean 'core'?")),
        ("demo:aligned", "--strategy=S9", ("'S9'",)),
        ("demo:aligned", "--judges=papr", ("'papr'", "Did you mean 'paper'?")),
        ("demo:aligned", "--thresholds=none.toml", ("none.toml", "--thresholds")),
        ("demo:aligned", "--reports=/dev/null/x", ("/dev/null/x", "Not a directory")),
        ("compatible:x", "--judges=demo", ("no address", "--base-url")),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_bad_input_is_exit_4(run_cli, write_cases, folder: Path, model: str, option: str, parts) -> None:
    """One plain line, options spelled as this command spells them."""
    write_cases(5)
    answer = run_cli(model, option)
    assert answer.status == 4, answer.err
    errors = [line for line in answer.err.splitlines() if line.startswith("ERROR: ")]
    assert len(errors) == 1, answer.err
    assert all(part in errors[0] for part in parts), errors
    assert "--jmed-" not in answer.err
    assert not (folder / "reports").exists()


def test_missing_keys_are_named_together(run_cli, write_cases) -> None:
    write_cases(5)
    answer = run_cli("openrouter:x/y")
    assert answer.status == 4
    errors = [line for line in answer.err.splitlines() if line.startswith("ERROR: ")]
    assert [key for key in ("ANTHROPIC", "OPENROUTER", "OPENAI") if f"{key}_API_KEY" in answer.err] == [
        "ANTHROPIC",
        "OPENROUTER",
        "OPENAI",
    ]
    assert len(errors) == 4
    assert "--judges A,B names others" in errors[-1]


def test_scores_gate_and_status_are_those_of_pytest(run_cli, write_cases, folder: Path, stored) -> None:
    write_cases(35)
    answer = run_cli("demo:regressed", "--reports=by-cli", "--sample=30", "--seed=5")
    (folder / "pytest.ini").write_text("[pytest]\nasyncio_default_fixture_loop_scope = function\n")
    (folder / "test_mine.py").write_text(
        "from jmedethic_pytest import check\n\n\ndef test_it(verdict):\n    check(verdict)\n"
    )
    options = ("--model=demo:regressed", "--jmed-cases=cases.jsonl", "--jmed-locale=en", "--jmed-sample=30")
    done = forked.run("pytest", "-q", *options, "--jmed-seed=5", "--jmed-report=off", folder=folder)
    by_cli = (folder / "by-cli" / "latest").resolve()
    assert done.returncode == answer.status, done.stdout
    assert scores(by_cli) == scores(stored())
    assert len(scores(by_cli)) == 30
    for name in ("gate.json", "summary.json"):
        assert json.loads((by_cli / name).read_text()) == json.loads((stored() / name).read_text())
    infos = [json.loads((run / "run.json").read_text()) for run in (by_cli, stored())]
    for key in ("digests", "selection", "calls", "tokens", "target", "judges"):
        assert infos[0][key] == infos[1][key], key
