"""``jmedethic list`` and ``jmedethic show``: what is there, and what a stored run says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest


@pytest.mark.parametrize(
    ("kind", "count", "first"),
    [
        ("suites", 10, {"suite": "core", "locale": "en", "cases": 469}),
        ("cases", 2 * (938 + 134 + 134), {"id": "en-jma01-s1-01"}),
        ("guidelines", 67, {"id": "JMA-01", "category": "A"}),
        ("strategies", 7, {"id": "S1", "slug": "gray_zone_ethnographic", "name": "Gray-Zone Ethnographic Simulation"}),
        ("providers", None, {"provider": "demo"}),
    ],
)
def test_list_of_what_is_bundled(cli, kind: str, count: int | None, first: dict[str, object]) -> None:
    rows = cli("list", kind, "--json").json
    assert count is None or len(rows) == count
    assert first.items() <= rows[0].items()
    answer = cli("list", kind)
    assert answer.status == 0
    key = next(iter(first))
    missing = [row[key] for row in rows if str(row[key]) not in answer.out]
    assert missing == [], "what is listed must be whole, also on a narrow terminal or in a pipe"


def test_list_of_own_cases(cli, write_cases) -> None:
    ids = write_cases(3)
    rows = cli("list", "cases", "--cases=cases.jsonl", "--json").json
    assert [row["id"] for row in rows] == ids
    assert rows[0]["persona"] == "nurse"


def test_list_of_runs(cli, run_cli, write_cases, stored) -> None:
    assert cli("list").out.strip() == "no runs"
    assert cli("list", "runs", "--json").json == []
    write_cases(2)
    run_cli("demo:aligned")
    rows = cli("list", "runs", "--json").json
    assert [row["run"] for row in rows] == [stored().name]
    assert rows[0]["status"] == "complete"
    assert rows[0]["cases"] == 2
    assert rows[0]["model"] == "demo:aligned"
    assert rows[0]["chosen"].endswith(" en")


def test_listed_run_ids_can_be_copied(cli, run_cli, write_cases, stored) -> None:
    """80 columns, and the name of a model on a server of one's own."""
    write_cases(2)
    run_cli("compatible:my-finetuned-model@http://127.0.0.1:9/v1", "--judges=demo")
    assert stored().name in cli("list", "runs").out


def test_unknown_kind_is_exit_4(cli) -> None:
    answer = cli("list", "strategy")
    assert answer.status == 4
    assert "'strategy'" in answer.err
    assert "Did you mean 'strategies'?" in answer.err


@pytest.fixture
def finished(begun, write_cases) -> Path:
    """The folder of a finished run of three cases."""
    write_cases(3)
    return begun("run --model=demo:aligned --cases=cases.jsonl --locale=en --report=off")


def test_show_a_run(cli, finished: Path) -> None:
    """By 'latest', by id, by part of an id, by path; as Markdown or JSON."""
    for name in ("latest", finished.name, finished.name[-4:], str(finished)):
        answer = cli("show", name)
        assert answer.status == 0
        assert "Safety gate: inconclusive" in answer.out
        assert "SIMULATION" in answer.out
        assert finished.name in answer.out
    summary = cli("show", "latest", "--json").json
    assert summary == json.loads((finished / "summary.json").read_text())
    assert summary["selected"] == 3


def test_show_a_case(cli, finished: Path) -> None:
    """All turns with the user's words, the reply and both judges' scores."""
    answer = cli("show", "latest", "en-case-01")
    assert answer.status == 0
    verdict = cli("show", "latest", "en-case-01", "--json").json
    assert verdict["case"]["id"] == "en-case-01"
    for turn in verdict["turns"]:
        assert turn["user"] in answer.out
        assert turn["reply"]["text"] in answer.out
        assert f"T{turn['index']} reply  [{turn['value']:.1f}]" in answer.out
        for score in turn["scores"]:
            assert f"{score['judge']}: {score['value']:g}" in answer.out


def test_show_prints_texts_as_they_are(cli, run_cli, write_cases) -> None:
    """No console markup and no emoji code is interpreted, and hidden characters are made visible."""
    write_cases(1, turns=["A [bold]sign[/bold], :warning: and \u202ehidden\x1b[31m text"])
    run_cli("demo:aligned")
    out = cli("show", "latest", "en-case-00").out
    assert "A [bold]sign[/bold], :warning: and \N{REPLACEMENT CHARACTER}hidden" in out
    assert "\x1b[31m" not in out


def test_a_run_that_goes_on_is_not_said_to_have_no_failures(cli, finished: Path) -> None:
    assert cli("list", "runs").out.strip().split("\t")[-1].endswith(" en")
    record = json.loads((finished / "run.json").read_text(encoding="utf-8"))
    (finished / "run.json").write_text(json.dumps({**record, "status": "started"}), encoding="utf-8")
    (finished / "verdicts.jsonl").write_bytes(b"")
    answer = cli("list", "failures", "latest")
    assert (answer.status, answer.out.strip()) == (0, "no failures so far")
    assert f"not finished: {finished.name} is started" in answer.err
    assert "It is still running, or was killed; then the same command goes on with it" in cli().out


@pytest.mark.parametrize("name", ["nope", "latest"])
def test_unknown_run(cli, name: str) -> None:
    """With nothing stored, 'latest' is unknown too."""
    answer = cli("show", name)
    assert answer.status not in (0, 1)
    assert answer.err.count("ERROR: ") == 1
    assert f"'{name}'" in answer.err


def test_unknown_run_names_the_ones_there_are(cli, finished: Path) -> None:
    answer = cli("show", "nope")
    assert answer.status not in (0, 1)
    assert finished.name in answer.err
    assert "latest" in answer.err


def test_ambiguous_part_of_an_id_is_refused(cli, finished: Path, run_cli) -> None:
    run_cli("demo:aligned")
    answer = cli("show", "demo-aligned")
    assert answer.status not in (0, 1)
    assert "several" in answer.err
    assert finished.name in answer.err


def test_unknown_case_gets_a_suggestion(cli, finished: Path) -> None:
    answer = cli("show", "latest", "en-case-1")
    assert answer.status not in (0, 1)
    assert "'en-case-1'" in answer.err
    assert "Did you mean 'en-case-01'?" in answer.err


def test_torn_last_line_is_tolerated_and_named(cli, finished: Path) -> None:
    """A kill in the middle of writing costs that verdict, and no other."""
    file = finished / "verdicts.jsonl"
    lines = file.read_bytes().splitlines(keepends=True)
    ids = [json.loads(line)["case"]["id"] for line in lines]
    file.write_bytes(b"".join(lines[:2]) + lines[2][:200])
    assert cli("show", "latest", ids[0]).status == 0
    assert cli("show", "latest", ids[1]).status == 0
    answer = cli("show", "latest", ids[2])
    assert answer.status not in (0, 1)
    assert "verdicts.jsonl:3" in answer.err
    assert "incomplete" in answer.err
    assert f"'{ids[2]}' is not among the 2 verdicts" in answer.err


@pytest.mark.parametrize(
    ("old", "new", "parts"),
    [
        (b'"schema_version":2', b'"schema_version":3', ("newer version", "Upgrade")),
        (b'"status":"scored"', b'"status":"fine"', ("damaged", "status")),
        (b"{", b"", ("damaged",)),
    ],
    ids=["newer", "value", "syntax"],
)
def test_damaged_line_is_named(cli, finished: Path, old: bytes, new: bytes, parts: tuple[str, ...]) -> None:
    """What cannot be understood is said, with its line, and never passed over."""
    file = finished / "verdicts.jsonl"
    lines = file.read_bytes().splitlines(keepends=True)
    wanted = json.loads(lines[2])["case"]["id"]
    file.write_bytes(b"".join([lines[0], lines[1].replace(old, new, 1), lines[2]]))
    answer = cli("show", "latest", wanted)
    assert answer.status not in (0, 1)
    assert "verdicts.jsonl:2" in answer.err
    assert all(part in answer.err for part in parts), answer.err


def test_show_of_an_unfinished_run_says_so(cli, finished: Path) -> None:
    (finished / "summary.json").unlink()
    (finished / "summary.md").unlink()
    answer = cli("show", "latest")
    assert answer.status not in (0, 1)
    assert "did not finish" in answer.err
    assert cli("show", "latest", "en-case-00").status == 0


def test_runs_have_their_answer_and_failures_are_listed(cli, run_cli, write_cases, stored) -> None:
    ids = write_cases(6)
    run_cli("demo:eroding")
    answer = json.loads((stored() / "gate.json").read_text(encoding="utf-8"))["answer"]
    assert [row["gate"] for row in cli("list", "runs", "--json").json] == [answer]
    verdicts = map(json.loads, (stored() / "verdicts.jsonl").read_text(encoding="utf-8").splitlines())
    fell = {
        item["case"]["id"]: min(low["value"] for low in item["violations"]) for item in verdicts if item["violations"]
    }
    rows = cli("list", "failures", "latest", "--json").json
    assert {row["case"]: row["score"] for row in rows} == fell
    assert set(fell) < set(ids)
    assert [row["score"] for row in rows] == sorted(fell.values())
    assert {row["result"] for row in rows} == {"failed"}
    first = cli("list", "failures").out.split()
    assert first[:5] == [rows[0]["case"], "conversation", "failed", rows[0]["turn"], str(rows[0]["score"])]
    assert cli("list", "runs", "latest").status == 4
