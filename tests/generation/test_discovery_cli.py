"""``jmedethic generate discover`` and ``cluster`` as a user calls them: counts on the terminal, texts in files."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Call = Callable[..., Any]
DEMO = ("--config", "demo", "--reports", "r")


@pytest.fixture
def folder(new_config: Call, validated: Call, tmp_path: Path) -> Path:
    """A benchmark with the demo's settings whose questions are validated, below the folder the commands run in."""
    config = new_config(only=["JMA-02", "JMA-11", "JMA-19", "JMA-31", "JMA-55"], reports=tmp_path / "r")
    validated(config, 5)
    return config.folder


def test_from_questions_to_accepted_strategies(jmedethic: Call, folder: Path) -> None:
    answer = jmedethic("generate", "discover", *DEMO)
    assert answer.status == 0
    assert "[SIMULATION]" in answer.out
    assert "searches: 5" in answer.out
    assert "next: jmedethic generate cluster" in answer.err
    library = json.loads((folder / "library.json").read_text(encoding="utf-8"))
    shown = answer.out + answer.err
    for strategy in library["strategies"]:
        assert strategy["name"] not in shown
        assert strategy["definition"] not in shown

    answer = jmedethic("generate", "cluster", *DEMO)
    assert answer.status == 0
    assert [line[:3] for line in answer.out.splitlines()[1:]] == [f"C{number}:" for number in range(1, 8)]
    assert not [item["name"] for item in library["strategies"] if item["name"] in answer.out + answer.err]

    sheet = folder / "strategies-review.csv"
    with sheet.open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert jmedethic("generate", "cluster", *DEMO, "--apply", str(sheet)).status == 4
    for row in rows:
        row |= {"decision": "accept", "reviewer": "ab"}
    with sheet.open("w", encoding="utf-8-sig", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    answer = jmedethic("generate", "cluster", *DEMO, "--apply", str(sheet), "--one-language")
    assert (answer.status, answer.out.splitlines()) == (0, ["strategies: 7", "decisions: 7 accept"])
    assert len(json.loads((folder / "strategies.json").read_text(encoding="utf-8"))["strategies"]) == 7


def test_json_is_all_that_standard_output_holds(jmedethic: Call, folder: Path) -> None:
    planned = json.loads(jmedethic("generate", "discover", *DEMO, "--dry-run", "--json").out)
    assert planned[0]["by_role"] == {"attacker": 50, "target": 50, "scorer": 50, "summariser": 50}
    assert not (folder / "discover.jsonl").exists()
    turbo = json.loads(jmedethic("generate", "discover", *DEMO, "--mode", "turbo", "--dry-run", "--json").out)
    assert turbo[0]["by_role"] == {"attacker": 250, "target": 250, "scorer": 250, "summariser": 205}
    found = json.loads(jmedethic("generate", "discover", *DEMO, "--json").out)
    assert found["searches"] == 5
    assert found["strategies"] > 0
    groups = json.loads(jmedethic("generate", "cluster", *DEMO, "--k", "3", "--json").out)
    assert [group["id"] for group in groups["groups"]] == ["C1", "C2", "C3"]
    tested = json.loads(jmedethic("generate", "discover", *DEMO, "--test", "--json").out)
    assert tested["broken"] <= tested["searches_scored"] == 5
    assert tested["findings"] == 0


def test_a_file_made_with_other_settings_is_neither_mixed_nor_lost(jmedethic: Call, folder: Path) -> None:
    assert jmedethic("generate", "discover", *DEMO).status == 0
    answer = jmedethic("generate", "discover", *DEMO, "--mode", "turbo", "--questions", "2")
    assert answer.status == 4
    assert "was made with other settings" in answer.err
    answer = jmedethic("generate", "discover", *DEMO, "--mode", "turbo", "--questions", "2", "--restart")
    assert answer.status == 0
    assert (folder / "discover.old-1.jsonl").exists()
    assert json.loads((folder / "library.json").read_text(encoding="utf-8"))["origin"]["mode"] == "turbo"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("discover", "--mode", "fast"), "'fast' is not allowed"),
        (("discover", "--questions", "-1"), "discover.questions"),
        (("discover", "--library", "x.json"), "--library: only with --test"),
        (("discover", "--test"), "library.json: the library cannot be read"),
        (("cluster",), "library.json: the library cannot be read"),
        (("cluster", "--apply", "x.csv"), "stage 'cluster' is not finished"),
        (("cluster", "--apply", "x.csv", "--sheet", "y.csv"), "Give one or the other"),
        (("cluster", "--one-language"), "--one-language: only with --apply"),
        (("cluster", "--sheet", "x.ods"), "Allowed: .csv, .xlsx"),
    ],
)
def test_what_cannot_be_done_is_said(jmedethic: Call, folder: Path, arguments: tuple[str, ...], message: str) -> None:
    answer = jmedethic("generate", *arguments[:1], *DEMO, *arguments[1:])
    assert answer.status in (4, 6)
    assert message in answer.err


def test_a_search_before_the_validation_names_the_next_step(jmedethic: Call) -> None:
    answer = jmedethic("generate", "discover", *DEMO)
    assert answer.status == 4
    assert "Next: `jmedethic generate validate`" in answer.err


def test_a_sheet_is_not_written_over_unless_forced(jmedethic: Call, folder: Path, tmp_path: Path) -> None:
    jmedethic("generate", "discover", *DEMO)
    (tmp_path / "s.xlsx").write_text("mine", encoding="utf-8")
    answer = jmedethic("generate", "cluster", *DEMO, "--sheet", "s.xlsx")
    assert answer.status == 4
    assert "s.xlsx exists already" in answer.err
    assert jmedethic("generate", "cluster", *DEMO, "--sheet", "s.xlsx", "--force").status == 0
    assert (tmp_path / "s.xlsx").read_bytes()[:2] == b"PK"
