"""``jmedethic annotate`` from the sample to the report, with scripted people; and what it refuses."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jmedethic_pytest.analysis.people.calibration import Calibration
from jmedethic_pytest.gate.outcome import load
from support.lazy import Lazy
from support.stored_runs import store, verdict

page = Lazy("jmedethic_pytest.reports.page")
Cli = Callable[..., Any]


@pytest.fixture
def study(run_cli: Cli, write_cases: Callable[..., list[str]], cli: Cli, folder: Path) -> Path:
    """A study of a simulated run of 60 conversations, with a third person."""
    write_cases(60)
    assert run_cli("demo:eroding", "--report=off").status == 1
    done = cli("annotate", "sample", "latest", "-n", "30", "--annotators", "a,b,c", "--again", "5", "--out", "study")
    assert done.status == 0
    assert "30 of 60 conversations drawn" in done.out
    assert "sheet of a: study/sheets/a  (35 rows)" in done.out
    return folder / "study"


def test_the_whole_loop(study: Path, cli: Cli, folder: Path) -> None:
    early = cli("annotate", "report", "study")
    assert (early.status, "the study is open" in early.err) == (6, True)
    first = cli("annotate", "demo", "study").out.split()
    assert [Path(name).suffix for name in first] == [".json", ".xlsx"]
    read = cli("annotate", "read", "study", *first)
    assert read.status == 0
    assert "a: 105 of 105 replies scored" in read.out
    asked = re.search(r"to c: (\d+) conversations in which two differ by more than 3: study/sheets/c", read.out)
    assert asked is not None
    filled = cli("annotate", "demo", "study").out.split()
    closed = cli("annotate", "read", "study", *filled, "--close")
    assert f"{asked[1]} new rows, 0 changed, 0 problems" in closed.out
    assert "closed. next: jmedethic annotate report study" in closed.out
    assert "--close" not in closed.out, "what is done is no next step"
    done = cli("annotate", "report", "study")
    assert done.status == 0
    assert done.out.startswith("SIMULATION")
    assert re.search(r"failing conversations: judges \d+\.\d% \[.*\], corrected by people \d+\.\d% \[", done.out)
    figures = cli("annotate", "report", "study", "--keep", "spring", "--json").json
    assert cli("annotate", "report", "study", "--keep", "spring").status == 4, "a study is not replaced unasked"
    answers = {}
    for name in ("spring", "autumn"):
        (folder / "rules.toml").write_text(f'schema_version = 1\n[gate]\npeople = "{name}"\n', encoding="utf-8")
        gate = cli("gate", "latest", "--thresholds", "rules.toml", "--json").json
        answers[name] = [item["answer"] for item in gate["conditions"] if item["name"] == "people"]
    assert answers == {"spring": ["pass"], "autumn": ["inconclusive"]}
    assert figures["contested"] >= int(asked[1])
    names = {
        "report.html",
        "figures.json",
        "calibration.json",
        "agreement.csv",
        "bias.csv",
        "verdicts.csv",
        "replies.csv",
    }
    assert names <= {path.name for path in study.iterdir()}
    sealed = json.loads((folder / "reports/latest/annotation.json").read_text(encoding="utf-8"))
    assert {**figures, "digest": sealed["digest"]} == sealed
    board = cli("leaderboard", "latest").out
    assert "by people" in board
    shown = page.render(load(folder / "reports/latest"), {}).html
    assert "Conversations that fail, corrected by people" in shown
    small = Calibration.model_validate_json((study / "calibration.json").read_text(encoding="utf-8"))
    assert [judge.judge for judge in small.judges] == ["panel", "demo:judge-strict", "demo:judge-lenient"]
    lines = (study / "replies.csv").read_text(encoding="utf-8-sig").splitlines()
    assert len(lines) == 91
    assert lines[0].startswith(
        "key,turn,guideline,strategy,locale,band,stands_for,a,b,third,consolidated,panel,judge_1"
    )


def test_bad_rows_are_named_and_the_others_kept(study: Path, cli: Cli) -> None:
    saved = Path(cli("annotate", "demo", "study").out.split()[0])
    content = json.loads(saved.read_text(encoding="utf-8"))
    content["marks"][0]["scores"][1] = 42
    saved.write_text(json.dumps(content), encoding="utf-8")
    done = cli("annotate", "read", "study", saved, "--close")
    assert done.status == 4
    assert "34 new rows, 0 changed, 1 problems" in done.out
    assert "a: 102 of 105 replies scored; 1 rows to go: " in done.out
    assert "closed" not in done.out
    assert (
        f"row 1 ({content['marks'][0]['id']}): score of T1: '42' is no score. Allowed: whole numbers 1 to 10"
        in done.err
    )


def test_scripts_fill_in_no_sheet_of_a_real_run(cli: Cli, folder: Path) -> None:
    store(folder / "reports", [verdict(number, 9.0, 9.0, 1.0 + number % 9) for number in range(20)], "real")
    assert cli("annotate", "sample", "real", "-n", "10", "--out", "study").status == 0
    done = cli("annotate", "demo", "study")
    assert (done.status, "scored by people, no script" in done.err) == (6, True)


def test_what_cannot_be_sampled_says_why(cli: Cli, folder: Path) -> None:
    redacted = "[redacted: sha256 0123456789abcdef, 9 characters]"
    store(folder / "reports", [verdict(number, 9.0, reply=redacted) for number in range(20)], "redacted")
    store(folder / "reports", [verdict(number, 9.0) for number in range(5)], "small")
    for run, told in (
        ("redacted", "digests in place of its texts"),
        ("small", "5 conversations can be scored"),
        ("x", "no stored"),
    ):
        done = cli("annotate", "sample", run, "--out", "study")
        assert (done.status, told in done.err) == (6, True), done.err
    assert cli("annotate", "sample", "small", "--locale", "fr").status == 4
    assert cli("annotate", "read", "absent").status == 6
    assert not (folder / "study").exists()
