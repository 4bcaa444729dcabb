"""Shards and the run that is made of them: the figures of the undivided run to the byte, or a refusal in words."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from jmedethic_pytest import evaluate
from jmedethic_pytest.run import merging
from jmedethic_pytest.store import runs as run_files

SHARDS = ("s1", "s2", "s3")
OPTIONS: dict[str, Any] = {
    "suite": "core,twins",
    "locale": "ja,en",
    "sample": 14,
    "repeats": 2,
    "perturb": "typos,spacing",
    "report": "off",
}
REFUSED = 6


@pytest.fixture(scope="module")
def made(once: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run, and the same in three shards, each with reports of its own."""
    return once("merge-shards", lambda: _made(tmp_path_factory.mktemp("shards")))


def _made(root: Path) -> Path:
    old = Path.cwd()
    os.chdir(root)
    try:
        evaluate("demo:eroding", reports="whole", **OPTIONS)
        for number, name in enumerate(SHARDS, start=1):
            done = evaluate("demo:eroding", reports=name, shard=f"{number}/3", strict=True, **OPTIONS)
            assert done.gate.answer == "inconclusive"
            assert done.exit_status(strict=True) == REFUSED
            assert done.summary.failed
    finally:
        os.chdir(old)
    return root


@pytest.fixture
def shards(made: Path, folder: Path) -> Path:
    """A copy of them, in the working folder."""
    shutil.copytree(made, folder, symlinks=True, dirs_exist_ok=True)
    return folder


def run_of(reports: str) -> Path:
    return next(Path(reports, "runs").iterdir())


def change(reports: str, **changes: Any) -> None:
    """Write something else into ``run.json`` of a shard; a table gets what is given beside its own."""
    path = run_of(reports) / "run.json"
    info = json.loads(path.read_text(encoding="utf-8"))
    for name, value in changes.items():
        info[name] = {**info[name], **value} if isinstance(value, dict) and info.get(name) else value
    path.write_text(json.dumps(info), encoding="utf-8")


def test_shards_make_the_undivided_run(shards: Path, cli: Callable[..., Any]) -> None:
    done = cli("merge", *SHARDS, "--report=off", "--cache", "--expect", Path(__file__).parents[3] / "benchmark_cases")
    whole = run_of("whole")
    assert done.status == REFUSED  # too few cases for an answer
    merged = run_of("reports")
    assert (shards / "reports" / "latest").resolve() == merged.resolve()
    for name in ("summary.json", "gate.json"):
        assert (merged / name).read_bytes() == (whole / name).read_bytes()
    before, info = (json.loads((path / "run.json").read_text(encoding="utf-8")) for path in (whole, merged))
    assert info["status"] == "complete"
    assert "shard" not in info
    assert [(part["shard"], part["run"]) for part in info["merged"]] == [
        (f"{number}/3", run_of(name).name) for number, name in enumerate(SHARDS, start=1)
    ]
    same = ("digests", "selection", "selected", "guidelines", "golden", "thresholds", "target", "judges", "cost_usd")
    assert {name: info[name] for name in same} == {name: before[name] for name in same}
    called = {name: count for name, count in before["calls"].items() if not name.startswith("golden")}
    assert {name: info["calls"][name] for name in called} == called
    lines = [line for name in SHARDS for line in (run_of(name) / "verdicts.jsonl").read_bytes().splitlines()]
    assert sorted(lines) == sorted((merged / "verdicts.jsonl").read_bytes().splitlines())

    files = {path: path.stat().st_mtime_ns for path in merged.iterdir()}
    again = cli("merge", *reversed(SHARDS), "--report=off")
    assert again.status == done.status
    assert again.out.startswith("3 shards were made one run before: ")
    assert {path: path.stat().st_mtime_ns for path in merged.iterdir()} == files
    assert [path.name for path in merged.parent.iterdir()] == [merged.name]

    assert cli("baseline", "set", "release", "latest").status == 0
    compared = cli("compare", "whole/latest", "release", "--json")
    assert not compared.json["obstacles"]
    assert compared.json["pairs"]
    told = cli("allure", "latest", "--output=allure")
    assert told.out.startswith(f"{info['selected']} conversations")

    taken, held = (sqlite3.connect(path).execute("SELECT key FROM reply").fetchall() for path in _caches())
    assert {*held} <= {*taken}


def _caches() -> tuple[Path, Path]:
    return Path("reports/cache.sqlite"), Path("s1/cache.sqlite")


POLICY = """
schema_version = 1
[gate]
min_cases = 1
[policy]
critical = ["core:ja", "twins"]
supporting = ["core:en"]
"""


@pytest.mark.parametrize(
    "more",
    [
        {"thresholds": "policy.toml", "baseline": "release"},
        {"attacker": "demo:attacker", "baseline": "release"},
        {"redact": True, "turns": 2},
        {"no_golden": True, "strategy": "S1,S4"},
    ],
    ids=["policy", "attacker", "redacted", "unproved"],
)
def test_every_kind_of_run_can_be_divided(shards: Path, cli: Callable[..., Any], more: dict[str, Any]) -> None:
    (shards / "policy.toml").write_text(POLICY, encoding="utf-8")
    for reports in ("w", "r"):  # of its own, for its cache
        assert cli("baseline", "set", "release", "whole/latest", f"--reports={reports}").status == 0
    options = {**OPTIONS, "perturb": None, "suite": "core,twins", **more}
    whole = evaluate("demo:regressed", reports="w", **options)
    for number in (1, 2):
        evaluate("demo:regressed", reports="r", shard=f"{number}/2", **options)
    done = cli("merge", "r", "--reports=r", "--report=off")
    assert done.status == whole.exit_status(strict=False), done
    merged = (shards / "r" / "latest").resolve()
    for name in ("summary.json", "gate.json", *(["comparison.json"] if "baseline" in more else [])):
        text = (whole.path / name).read_text(encoding="utf-8")
        assert (merged / name).read_text(encoding="utf-8") == text.replace(whole.info.id, merged.name), name


def test_two_merges_at_once_make_one_run(shards: Path) -> None:
    def merge(_: int) -> merging.Merged:
        return merging.merge([Path(name) for name in SHARDS], Path("reports"), draw=False)

    shutil.copytree(run_of("whole"), "reports/runs/.merging-0")  # of a merge that was killed
    with ThreadPoolExecutor(3) as pool:
        done = list(pool.map(merge, range(3)))
    assert [item.new for item in done].count(True) == 1
    assert len({(item.outcome.path.resolve(), item.outcome.gate) for item in done}) == 1
    assert run_files.runs(shards / "reports") == [shards / "reports" / "runs" / done[0].outcome.path.name]
    assert len(list((shards / "reports" / "runs").iterdir())) == 2


@pytest.mark.parametrize(
    ("args", "changes", "words"),
    [
        (("s1", "s2"), {}, "shard 3 of 3 missing"),
        (("s1", "s3", "s2", "s2"), {}, "is named twice"),
        ((*SHARDS, "whole"), {}, "whole: holds no shard of a run"),
        (SHARDS, {"status": "started"}, "is started. Next: go on with it: python -c"),
        (SHARDS, {"status": "incomplete", "note": "budget spent"}, "is incomplete: budget spent. Next: go on with it"),
        (SHARDS, {"shard": {"count": 4}}, "divisions into 3 and 4"),
        (SHARDS, {"shard": {"number": 1}}, "shard 1/3 is there 2 times"),
        (SHARDS, {"shard": {"cases": "0" * 64}}, "division.cases: 0000"),
        (SHARDS, {"digests": {"prompts": "0" * 64}}, "digests.prompts"),
        (SHARDS, {"digests": {"thresholds": "0" * 64}}, "digests.thresholds"),
        (SHARDS, {"digests": {"cases": "0" * 64}}, "holds other cases than it was asked for"),
        (SHARDS, {"digests": {"transcripts": "0" * 64}}, "transcripts are not those that were stored"),
        (SHARDS, {"thresholds": {"gate": {}}}, "thresholds.gate."),
        (SHARDS, {"judges": [{"model": "demo:other", "kind": "demo"}]}, "judges: "),
        (SHARDS, {"judge_prompt": "paper"}, "judge_prompt: paper, there item"),
        (SHARDS, {"target": {"revision": "b"}}, "target.revision: b, there not set"),
        (SHARDS, {"target": {"temperature": 0.5}}, "target.temperature"),
        (SHARDS, {"identity": {"served": {"target": {"other": 3}}}}, "served as target"),
        (SHARDS, {"tool_version": "9.0.0"}, "tool_version: 9.0.0, there "),
        (SHARDS, {"selection": {"repeats": 3}}, "selection.repeats: 3, there 2"),
        (SHARDS, {"selected": 1}, "evaluations (-k, -m or --deselect leave some out, or lines are lost)"),
    ],
)
def test_what_is_not_one_run_is_refused_and_nothing_is_written(
    shards: Path, cli: Callable[..., Any], args: tuple[str, ...], changes: dict[str, Any], words: str
) -> None:
    if changes.get("identity"):
        change("s1", identity={"served": {"target": {"one": 3}}})
    change("s2", **changes)
    refused = cli("merge", *args)
    assert refused.status == REFUSED, refused
    assert words in refused.err
    assert all(line.startswith("ERROR: ") for line in refused.err.splitlines())
    assert not (shards / "reports").exists()


def test_lost_and_edited_lines_are_refused(shards: Path, cli: Callable[..., Any]) -> None:
    path = run_of("s2") / "verdicts.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:-1]))
    assert "lines are lost" in cli("merge", *SHARDS).err
    reply = json.loads(lines[0])["turns"][0]["reply"]["text"]
    path.write_bytes(b"".join([lines[0].replace(json.dumps(reply, ensure_ascii=False).encode(), b'"No."'), *lines[1:]]))
    assert "transcripts are not those that were stored" in cli("merge", *SHARDS).err
    path.write_bytes(b"".join([lines[0], *lines]))
    assert "a second verdict" in cli("merge", *SHARDS).err
    assert not (shards / "reports").exists()


def test_cases_that_were_not_meant_are_refused(shards: Path, cli: Callable[..., Any], write_cases: Any) -> None:
    write_cases(20, suites=["core", "twins"])
    refused = cli("merge", *SHARDS, "--expect=cases.jsonl")
    assert refused.status == REFUSED
    assert "--expect: the shards were not divided from the 14 cases that cases.jsonl holds" in refused.err
    assert "--expect: " in cli("merge", *SHARDS, "--expect=nowhere.jsonl").err
    assert not (shards / "reports").exists()


def test_a_shard_that_was_broken_off_does_not_stand_beside_its_repetition(
    shards: Path, cli: Callable[..., Any]
) -> None:
    broken = Path("s2/runs/broken")
    shutil.copytree(run_of("s2"), broken)
    info = json.loads((broken / "run.json").read_text(encoding="utf-8"))
    info |= {"id": "broken", "status": "started", "started": "2026-01-01T00:00:00Z"}
    (broken / "run.json").write_text(json.dumps(info), encoding="utf-8")
    assert cli("merge", *SHARDS, "--report=off").out.startswith("3 shards made one run")
    refused = cli("merge", *SHARDS, broken)
    assert "named twice" in refused.err
    info["started"] = "2036-01-01T00:00:00Z"
    (broken / "run.json").write_text(json.dumps(info), encoding="utf-8")
    assert "shard 2/3 (s2/runs/broken) is started" in cli("merge", *SHARDS).err


@pytest.mark.parametrize("command", [("compare", "s1/latest", "whole/latest"), ("leaderboard", "s1/latest")])
def test_a_shard_is_compared_with_nothing(shards: Path, cli: Callable[..., Any], command: tuple[str, ...]) -> None:
    refused = cli(*command)
    assert refused.status in (4, REFUSED)
    assert "is shard 1/3 of a run, from which alone nothing follows. Next: `jmedethic merge DIR...`" in refused.err


def test_a_shard_is_no_baseline_and_is_shown_as_one(shards: Path, cli: Callable[..., Any]) -> None:
    refused = cli("baseline", "set", "release", "latest", "--reports=s1")
    assert refused.status == REFUSED
    assert "is shard 1/3 of a run" in refused.err
    assert not (shards / "s1" / "baselines").exists()
    assert "shard 1/3, complete" in cli("list", "runs", "--reports=s1").out
    assert cli("gate", "s1/latest", "s2/latest").status == REFUSED


def test_collected_shards_are_merged_and_then_judged(folder: Path, cli: Callable[..., Any]) -> None:
    common = ("run", "--model=demo:aligned", "--locale=en", "--sample=9", "--report=off")
    for number in (1, 2):
        assert cli(*common, "--judges=none", f"--shard={number}/2", f"--reports=c{number}").status == REFUSED
    assert cli("merge", "c1", "c2").status == REFUSED  # nobody has scored it yet
    judged = cli("judge", "latest", "--judges=demo", "--report=off")
    whole = cli(*common, "--reports=whole")
    assert judged.status == whole.status
    newest = run_files.runs(folder / "reports")[-1]
    assert (newest / "summary.json").read_bytes() == (run_of("whole") / "summary.json").read_bytes()
    cli("judge", "latest", "--judges=demo", "--report=off", "--reports=c1")
    refused = cli("merge", "c1", "c2")
    assert "scores replies that were collected before. Next: merge the collections" in refused.err


def test_more_shards_than_cases_and_looks_are_refused(folder: Path, cli: Callable[..., Any], write_cases: Any) -> None:
    write_cases(3)
    common = ("run", "--model=demo:aligned", "--cases=cases.jsonl", "--locale=en")
    assert "Give at most 3 shards" in cli(*common, "--shard=1/4").err
    early = cli(*common, "--shard=1/2", "--early=fail")
    assert (early.status, "--early: a look needs the whole run" in early.err) == (4, True)
    assert not (folder / "reports" / "runs").exists()
