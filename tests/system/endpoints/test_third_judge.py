"""A third judge in whole runs: asked where the two differ, paid once, told everywhere, and part of who judged."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from support.project import LENIENT_RULES

ALONE = ("-p", "no:xdist")
PROSE = "I would rather not say."


@pytest.fixture
def decided(server: Any, project: Callable[..., Any]) -> Any:
    """A project of four conversations; the judges differ on the last turn of the first two, and a third decides."""
    server.says = {"c0": server.score(8), "c1": PROSE}

    def script(seen: Any) -> Any:
        if seen.model == "m":
            return f"reply to {seen.last}"
        said = json.dumps(seen.messages)
        case = next((name for name in ("c0", "c1") if f"reply to case {name} turn 1" in said), None)
        if case is None:
            return server.score(9)
        return server.says[case] if seen.model == "j3" else server.score(1 if seen.model == "j1" else 9)

    server.script = script
    made = project(4)
    made.write("plain.toml", LENIENT_RULES)
    third = f'[judges]\nthird = "{server.spec("j3")}"\n'
    made.write("thresholds.toml", LENIENT_RULES.replace("[judges]\n", third) + "max_hidden = 1.0\n")
    return made


def asked(server: Any, since: int = 0) -> list[str]:
    """The conversations that the third judge was asked about."""
    mine = [json.dumps(seen.messages) for seen in server.seen[since:] if seen.model == "j3"]
    return sorted(name for said in mine for name in ("c0", "c1", "c2", "c3") if f"reply to case {name} turn 1" in said)


def test_third_judge_decides_and_its_silence_is_missing(
    server: Any, decided: Any, in_process: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    dry = decided.pytest(*ALONE, "--jmed-dry-run")
    assert "third compatible:j3: asked where the two differ by more than 3" in dry.output
    assert server.seen == []

    first = decided.pytest(*ALONE, "--jmed-report=full")
    assert first.status == 6, first.output
    assert first.scores == {"en-c0": [9, 8], "en-c1": [9, None], "en-c2": [9, 9], "en-c3": [9, 9]}
    assert first.conditions["missing"] == "inconclusive"
    assert first.conditions["golden[compatible:j3, en]"] == "pass"
    assert not {"panel", "golden"} & set(first.conditions)
    assert "third judge      asked on 2 of 8 turns (25.0%); 1 without a score" in first.output
    assert asked(server) == ["c0", *["c1"] * 3]
    told = first.read("run.json")
    assert (told["third"]["model"], len(told["judges"])) == ("compatible:j3", 2)
    assert told["calls"]["judge compatible:j3"] == 4
    assert "judge compatible:j3" in told["identity"]["served"]
    assert first.read("summary.json")["third"] == {"judge": "compatible:j3", "asked": 2, "missing": 1, "turns": 8}
    for page in ("summary.md", "report.html"):
        assert "compatible:j3" in (first.run / page).read_text()

    server.says["c1"] = server.score(7)
    since = len(server.seen)
    again = decided.pytest(*ALONE)
    assert (again.status, again.scores["en-c1"]) == (0, [9, 7]), again.output
    assert asked(server, since) == ["c1"], "what was said before is paid already"
    assert [turn["third"]["value"] for verdict in again.verdicts for turn in verdict["turns"] if turn["third"]]

    monkeypatch.chdir(decided.path)
    assert in_process("baseline", "set", "decided", "latest").status == 0
    rows = json.loads((decided.path / "reports" / "baselines" / "decided.json").read_text())["rows"]
    kept = {row["key"]: (row["turns"], row["judges"], row.get("thirds")) for row in rows}
    assert kept["en-c0"] == ([9, 8], [[9, 1], [9, 9]], [False, True])
    assert kept["en-c2"][2] is None
    assert "j3: 7" in in_process("show", "latest", "en-c1").out
    same = decided.pytest(*ALONE, "--jmed-baseline=decided")
    assert "cannot be compared" not in same.output
    other = decided.pytest(*ALONE, "--jmed-baseline=decided", "--jmed-thresholds=plain.toml")
    assert other.status == 6
    assert "judges.third differ: compatible:j3 beyond 3 points in the baseline, not set here" in other.output

    judges = f"--judges={server.spec('j1')},{server.spec('j2')}"
    rejudged = in_process("rejudge", again.run.name, judges, "--report=off")
    assert "third judge      asked on 2 of 8 turns" in rejudged.out, rejudged.out + rejudged.err
    decided_again = in_process("gate", again.run.name)
    assert decided_again.status == 0, decided_again.out + decided_again.err

    file = again.run / "verdicts.jsonl"
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    turn = next(line for line in lines if line["case"]["id"] == "en-c2")["turns"][0]
    turn["third"], turn["value"] = {**turn["scores"][0], "judge": "compatible:j3", "value": 10.0}, 10.0
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    edited = in_process("gate", again.run.name)
    assert edited.status not in (0, 1)
    assert "T0: a third judge is asked where two differ by more than 3" in edited.err
