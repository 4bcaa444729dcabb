"""Stored runs: nothing finished is lost, and nothing damaged is taken for whole."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jmedethic_pytest.core.errors import StoreError
from jmedethic_pytest.core.records import Verdict
from jmedethic_pytest.core.run_info import RunInfo
from jmedethic_pytest.store import runs as run_files
from jmedethic_pytest.store.runs import RunStore

Build = Callable[..., Verdict]


def info(run_id: str, **changes: Any) -> RunInfo:
    fields: dict[str, Any] = {
        "status": "started",
        "started": run_files.now(),
        "tool_version": "0.1.0",
        "target": {"model": "demo:aligned", "kind": "demo"},
        "judges": tuple({"model": f"demo:judge-{n}", "kind": "demo"} for n in range(2)),
        "simulated": True,
        "selection": {},
        "digests": {"cases": "0", "prompts": "0", "thresholds": "0"},
        "concurrency": 32,
    }
    return RunInfo(id=run_id, **{**fields, **changes})


@pytest.fixture
def stored(tmp_path: Path, build_verdict: Build) -> RunStore:
    """Return a closed run of three verdicts."""
    run = RunStore(tmp_path / "reports", "20260101T000000Z-demo-aligned-0001")
    run.write_info(info(run.path.name))
    for name in ("ja-a", "ja-b", "ja-c"):
        run.append(build_verdict(name, [(9, 9), (8, 8)]))
    run.close()
    return run


def read_ids(run: RunStore, torn: list[str] | None = None) -> list[str]:
    return [verdict.case.id for verdict in run_files.read_verdicts(run.path, torn)]


def test_verdicts_come_back_whole_and_in_order(tmp_path: Path, build_verdict: Build) -> None:
    verdicts = [build_verdict(f"ja-{n}", [(9, 8), (n + 1, None)]) for n in range(3)]
    run = RunStore(tmp_path, "run")
    for verdict in verdicts:
        run.append(verdict)
        assert list(run_files.read_verdicts(run.path))[-1] == verdict, "a verdict is readable as soon as append returns"


@pytest.mark.parametrize("kept", [1, 20, -1])
def test_torn_last_line_is_left_out_and_named(stored: RunStore, kept: int) -> None:
    """A kill may cut the last line anywhere, also just before its line end."""
    path = stored.path / "verdicts.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:2]) + lines[2][:kept])
    torn: list[str] = []
    assert read_ids(stored, torn) == ["ja-a", "ja-b"]
    assert len(torn) == 1
    assert f"{path}:3" in torn[0]
    assert read_ids(stored) == ["ja-a", "ja-b"]


def test_whole_file_names_no_torn_line(stored: RunStore) -> None:
    torn: list[str] = []
    assert len(read_ids(stored, torn)) == 3
    assert torn == []


@pytest.mark.parametrize(
    "damage",
    [
        b"not json\n",
        b"\n",
        b"{}\n",
        b"\x00\x00\x00\n",
        b'{"schema_version": 1, "case": 5}\n',
        b"[]\n",
        b"\xff\xfe\n",
    ],
)
def test_damaged_line_in_the_middle_is_an_error_with_its_place(stored: RunStore, damage: bytes) -> None:
    path = stored.path / "verdicts.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + damage + lines[2])
    with pytest.raises(StoreError) as caught:
        read_ids(stored)
    assert str(caught.value).startswith(f"{path}:2: damaged: ")


def test_score_out_of_range_in_a_file_is_damage(stored: RunStore) -> None:
    path = stored.path / "verdicts.jsonl"
    path.write_text(path.read_text(encoding="utf-8").replace('"value":9.0', '"value":99.0', 1), encoding="utf-8")
    with pytest.raises(StoreError, match="damaged: turns"):
        read_ids(stored)


@pytest.mark.parametrize("version", [3, 99])
def test_newer_schema_asks_for_an_upgrade(stored: RunStore, version: int) -> None:
    for name in ("verdicts.jsonl", "run.json"):
        path = stored.path / name
        text = path.read_text(encoding="utf-8")
        newer = re.sub(r'"schema_version":( ?)2', rf'"schema_version":\g<1>{version}', text, count=1)
        path.write_text(newer, encoding="utf-8")
    for read in (lambda: read_ids(stored), lambda: run_files.read_info(stored.path)):
        with pytest.raises(StoreError) as caught:
            read()
        assert f"schema {version}" in str(caught.value)
        assert "Upgrade" in str(caught.value)


def test_unknown_field_of_the_same_schema_is_damage_not_ignored(stored: RunStore) -> None:
    path = stored.path / "run.json"
    path.write_text(json.dumps({**json.loads(path.read_text(encoding="utf-8")), "surprise": 1}), encoding="utf-8")
    with pytest.raises(StoreError, match="surprise"):
        run_files.read_info(stored.path)


def test_missing_files_are_store_errors(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"run\.json"):
        run_files.read_info(tmp_path)
    with pytest.raises(StoreError, match=r"verdicts\.jsonl"):
        list(run_files.read_verdicts(tmp_path))


def test_run_info_is_replaced_at_one_stroke(stored: RunStore) -> None:
    stored.write_info(info(stored.path.name, status="complete", note="日本語"))
    assert run_files.read_info(stored.path).status == "complete"
    assert run_files.read_info(stored.path).note == "日本語"
    assert not list(stored.path.glob(".*"))
    assert "日本語" in (stored.path / "run.json").read_text(encoding="utf-8")


# ---------------------------------------------------------------- finding


@pytest.fixture
def three(tmp_path: Path) -> Path:
    """Return a reports folder of three runs, the last of which is the latest."""
    reports = tmp_path / "reports"
    for name in ("20260101T000000Z-demo-a-0001", "20260102T000000Z-demo-b-0002", "20260103T000000Z-openai-c-0003"):
        run = RunStore(reports, name)
        run.publish(info(name))
        run.close()
    return reports


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("20260102T000000Z-demo-b-0002", "0002"),
        ("0001", "0001"),
        ("openai", "0003"),
        ("latest", "0003"),
        ("20260101", "0001"),
    ],
)
def test_run_is_found_by_id_part_or_latest(three: Path, name: str, found: str) -> None:
    assert run_files.find_run(three, name).name.endswith(found)


def test_run_is_found_by_path(three: Path) -> None:
    path = three / "runs" / "20260101T000000Z-demo-a-0001"
    assert run_files.find_run(three / "elsewhere", str(path)) == path.resolve()


def test_part_of_several_ids_names_them(three: Path) -> None:
    with pytest.raises(StoreError) as caught:
        run_files.find_run(three, "demo")
    assert "fits several runs" in str(caught.value)
    assert "demo-a-0001" in str(caught.value)
    assert "openai" not in str(caught.value)


def test_unknown_run_names_what_there_is_and_the_next_step(three: Path, tmp_path: Path) -> None:
    with pytest.raises(StoreError) as caught:
        run_files.find_run(three, "nothing")
    assert "'nothing' is no stored run" in str(caught.value)
    assert "openai-c-0003" in str(caught.value)
    assert "'latest'" in str(caught.value)
    with pytest.raises(StoreError, match="none"):
        run_files.find_run(tmp_path / "absent", "latest")


def test_runs_are_listed_oldest_first_and_half_made_folders_are_not(three: Path) -> None:
    (three / "runs" / "20260104T000000Z-half-made").mkdir()
    assert [path.name[-4:] for path in run_files.runs(three)] == ["0001", "0002", "0003"]


def test_latest_is_a_relative_link(three: Path) -> None:
    """The reports folder may be moved or mounted elsewhere."""
    assert not (three / "latest").readlink().is_absolute()
    moved = three.rename(three.with_name("moved"))
    assert run_files.find_run(moved, "latest").name.endswith("0003")


# ---------------------------------------------------------------- writing


def test_two_runs_never_share_a_folder(tmp_path: Path) -> None:
    RunStore(tmp_path, "same").close()
    with pytest.raises(StoreError, match="same"):
        RunStore(tmp_path, "same")


def test_reports_that_are_a_file_are_a_store_error_with_the_next_step(tmp_path: Path) -> None:
    (tmp_path / "reports").write_text("a file", encoding="utf-8")
    with pytest.raises(StoreError, match="Free space or give another folder"):
        RunStore(tmp_path / "reports", "run")


@pytest.mark.parametrize(
    ("model", "slug"),
    [
        ("demo:aligned", "demo-aligned"),
        ("openrouter:DeepSeek/R1-0528@https://h/v1", "openrouter-deepseek-r1-0528-https-h-v1"),
        ("vllm:../../etc/passwd", "vllm-..-..-etc-passwd"),
        ("日本語:模型", ""),
    ],
)
def test_run_id_is_one_safe_folder_name(model: str, slug: str) -> None:
    run_id = run_files.new_run_id(model)
    assert re.fullmatch(rf"\d{{8}}T\d{{6}}\.\d{{3}}Z-{re.escape(slug)}-[0-9a-f]{{4}}", run_id)
    assert "/" not in run_id
    assert len(run_files.new_run_id("x:" + "y" * 300)) < 80


def test_run_ids_sort_by_the_time_they_were_made() -> None:
    made = []
    for model in ("demo:regressed", "demo:aligned", "demo:eroding"):
        made.append(run_files.new_run_id(model))
        time.sleep(0.002)
    assert made == sorted(made)


def test_run_ids_of_the_same_moment_differ() -> None:
    assert len({run_files.new_run_id("demo:aligned")[-4:] for _ in range(8)}) > 1


def test_time_is_utc_to_the_second() -> None:
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", run_files.now())


def _edit(stored: RunStore, change: Callable[[dict[str, Any]], object], line: int = 0) -> None:
    path = stored.path / "verdicts.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines()
    verdict = json.loads(lines[line])
    change(verdict)
    lines[line] = json.dumps(verdict)
    path.write_text("".join(f"{text}\n" for text in lines), encoding="utf-8")


def _every_score(value: Any) -> Callable[[dict[str, Any]], object]:
    def change(verdict: dict[str, Any]) -> None:
        for turn in verdict["turns"]:
            turn["value"] = value
            for score in turn["scores"]:
                score["value"] = value

    return change


@pytest.mark.parametrize(
    "change",
    [
        lambda verdict: verdict["turns"][0].update(value=10.0),
        lambda verdict: verdict["turns"][0].update(value=None),
        lambda verdict: verdict["turns"][0]["scores"][0].update(value=2.5),
        lambda verdict: verdict.update(turns=[*verdict["turns"], verdict["turns"][-1]]),
        lambda verdict: verdict.update(turns=verdict["turns"][::-1]),
        lambda verdict: verdict.update(planned_turns=1),
        lambda verdict: verdict.update(turns=verdict["turns"][:1]),
        lambda verdict: verdict.update(
            violations=[{"turn": 0, "value": 1.0, "floor": 2.0, "rule": "conversation.floor"}]
        ),
        _every_score(True),
        _every_score("9"),
        _every_score(float("nan")),
        _every_score(float("inf")),
    ],
    ids=[
        "value",
        "no value",
        "score",
        "turn twice",
        "order",
        "planned",
        "cut",
        "violation",
        "bool",
        "text",
        "nan",
        "inf",
    ],
)
def test_verdict_that_contradicts_itself_is_damage(
    stored: RunStore, change: Callable[[dict[str, Any]], object]
) -> None:
    """Nobody can tell which of two contradicting figures is the result; the better one least of all."""
    _edit(stored, change)
    with pytest.raises(StoreError, match=r"verdicts\.jsonl:1: damaged: "):
        read_ids(stored)


def test_second_verdict_of_an_evaluation_is_damage(stored: RunStore) -> None:
    """A run stores each once: if two stand there, it depends on their order which one counts."""
    path = stored.path / "verdicts.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines, lines[0]]))
    with pytest.raises(StoreError, match="a second verdict of"):
        read_ids(stored)


def test_run_of_which_nothing_came_leaves_the_latest_one_as_it_was(three: Path) -> None:
    run = RunStore(three, "20260104T000000Z-demo-d-0004")
    run.publish(info("20260104T000000Z-demo-d-0004"))
    assert run_files.find_run(three, "latest").name.endswith("0004")
    run.discard()
    assert run_files.find_run(three, "latest").name.endswith("0003")


def test_only_run_of_which_nothing_came_leaves_no_latest(tmp_path: Path) -> None:
    run = RunStore(tmp_path, "20260104T000000Z-demo-d-0004")
    run.publish(info("20260104T000000Z-demo-d-0004"))
    run.discard()
    assert not (tmp_path / "latest").is_symlink()
