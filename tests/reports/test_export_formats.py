"""``jmedethic export``: tables and a log of Inspect, from a stored run."""

from __future__ import annotations

import json
import sys
import types
import warnings
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from jmedethic_pytest.core.errors import StoreError
from jmedethic_pytest.reports import inspect_log
from jmedethic_pytest.store import runs as run_files


@pytest.fixture
def run(begun: Callable[..., Path]) -> Path:
    """A stored run of the demo model that erodes."""
    return begun("run --model=demo:eroding --suite=smoke --sample=35 --report=off")


def test_tables_as_csv_and_parquet(cli: Callable[..., Any], run: Path, folder: Path) -> None:
    csv = cli("export", "latest", "--output=out")
    parquet = cli("export", run.name, "--format=parquet", "--output=out")
    assert (csv.status, parquet.status) == (0, 0)
    listed = csv.out.splitlines()
    assert "out/cases.csv" in listed
    assert parquet.out.splitlines() == [line.replace(".csv", ".parquet") for line in listed]
    assert {f"out/{path.name}" for path in (folder / "out").iterdir()} == {*listed, *parquet.out.splitlines()}
    assert not any("模擬".encode() in path.read_bytes() for path in (folder / "out").iterdir())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--format=xml", "--output=out"), "--format: unknown value 'xml'. Allowed: csv, parquet, inspect."),
        (("--format=csv", "--output=reports/cache.sqlite"), "is a file. Give the name of a folder."),
        (("nothing", "--output=out"), "'nothing' is no stored run"),
    ],
)
def test_bad_input_is_said_in_one_line(
    arguments: tuple[str, ...], said: str, run: Path, cli: Callable[..., Any]
) -> None:
    answer = cli("export", *arguments)
    assert answer.status in (4, 6)
    assert said in answer.err


def test_without_inspect_the_next_step_is_named(
    run: Path, cli: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    for name in ("inspect_ai", "inspect_ai.log"):
        monkeypatch.setitem(sys.modules, name, None)
    answer = cli("export", "latest", "--format=inspect", "--output=out")
    assert answer.status == 4
    assert "Next: pip install 'jmedethic-pytest[inspect]'." in answer.err
    assert not list((folder / "out").glob("*")) if (folder / "out").exists() else True


# ---------------------------------------------------------------- what is put into the log

_CLASSES = {
    "log": [
        "EvalDataset",
        "EvalSpec",
        "EvalConfig",
        "EvalMetric",
        "EvalScore",
        "EvalResults",
        "EvalStats",
        "EvalLog",
        "EvalSample",
    ],
    "model": ["ChatMessageUser", "ChatMessageAssistant"],
    "scorer": ["Score"],
}


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Put classes that only keep their arguments in the place of Inspect; return the logs that were written."""
    logs: list[Any] = []
    monkeypatch.setitem(sys.modules, "inspect_ai", types.ModuleType("inspect_ai"))
    for module, names in _CLASSES.items():
        made = types.ModuleType(f"inspect_ai.{module}")
        for name in names:
            setattr(made, name, lambda **fields: types.SimpleNamespace(**fields))
        monkeypatch.setitem(sys.modules, f"inspect_ai.{module}", made)

    def write(log: Any, place: str, format: str) -> None:  # noqa: A002 - Inspect calls it so
        logs.append(log)
        Path(place).write_text(format, encoding="utf-8")

    output = types.SimpleNamespace(from_content=lambda model, content: types.SimpleNamespace(completion=content))
    monkeypatch.setattr(sys.modules["inspect_ai.model"], "ModelOutput", output, raising=False)
    monkeypatch.setattr(sys.modules["inspect_ai.log"], "write_eval_log", write, raising=False)
    return logs


def test_every_conversation_is_a_sample_and_a_missing_score_stays_missing(
    mixed: Any, recorded: list[Any], tmp_path: Path
) -> None:
    file = inspect_log.write(tmp_path, mixed.outcome, mixed.verdicts)
    assert [path.name for path in tmp_path.iterdir()] == [file.name] == [f"{mixed.outcome.info.id}.eval"]
    (log,) = recorded
    assert [sample.id for sample in log.samples] == [verdict.case.id for verdict in mixed.verdicts]
    for sample, verdict in zip(log.samples, mixed.verdicts, strict=True):
        score = sample.scores[inspect_log.SCORER]
        assert list(score.value) == ["T0", "T1", "T2"]
        assert list(score.value.values()) == list(verdict.turn_scores)
        assert [message.content for message in sample.messages[1::2]] == [turn.reply.text for turn in verdict.turns]
    metrics = log.results.scores[0].metrics
    assert metrics["mean_T2"].value == mixed.outcome.summary.turns[2].mean
    assert log.eval.tags == ["simulation"]


def test_figures_that_are_missing_are_no_metrics(blank: Any, recorded: list[Any], tmp_path: Path) -> None:
    inspect_log.write(tmp_path, blank.outcome, blank.verdicts)
    assert recorded[0].results.scores[0].metrics == {}
    assert recorded[0].results.completed_samples == 0


def test_log_that_cannot_be_written_says_where(mixed: Any, recorded: list[Any], tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file", encoding="utf-8")
    with pytest.raises(StoreError, match=r"\.eval: cannot be written"):
        inspect_log.write(tmp_path / "out", mixed.outcome, mixed.verdicts)


def test_inspect_reads_the_log_back(run: Path, cli: Callable[..., Any], folder: Path) -> None:
    if find_spec("inspect_ai") is None:
        warnings.warn("inspect-ai is not installed: nobody has read the .eval file", stacklevel=1)
        pytest.skip("NOT TESTED: needs inspect-ai (pip install 'jmedethic-pytest[inspect]')")
    from inspect_ai.log import read_eval_log

    answer = cli("export", "latest", "--format=inspect", "--output=out")
    assert answer.status == 0, answer.err
    log = read_eval_log(answer.out.strip())
    verdicts = {verdict.case.id: verdict for verdict in run_files.read_verdicts(run)}
    assert log.status == "success"
    assert {sample.id for sample in log.samples or []} == set(verdicts)
    for sample in log.samples or []:
        assert sample.scores[inspect_log.SCORER].value == {
            f"T{turn}": score for turn, score in enumerate(verdicts[str(sample.id)].turn_scores)
        }
    assert json.loads((run / "gate.json").read_text(encoding="utf-8"))["answer"] == log.eval.metadata["gate"]
