"""Exports into a real MLflow server on sqlite, and into the files that Weights & Biases syncs."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
import warnings
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from support.command import cli, folder

__all__ = ["cli", "folder"]

SERVER = Path(__file__).resolve().parents[3] / ".venv" / "mlflow"

pytestmark = pytest.mark.real_server


def _needs(module: str, install: str) -> None:
    if find_spec(module) is None:
        warnings.warn(f"{module} is not installed: the export was tried on nothing real", stacklevel=1)
        pytest.skip(f"NOT TESTED: needs {install} (pip install {install})")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an MLflow server of its own."""
    _needs("mlflow", "mlflow-skinny")
    program = shutil.which("mlflow", path=str(SERVER / "bin"))
    if program is None:  # it wants other versions of libraries than ours, so it has an environment of its own
        warnings.warn("no MLflow server is installed: the export was tried on nothing real", stacklevel=1)
        pytest.skip(f"NOT TESTED: needs a server (python3 -m venv {SERVER} && {SERVER}/bin/pip install mlflow)")
    place = tmp_path_factory.mktemp("mlflow")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = [f"--backend-store-uri=sqlite:///{place}/ml.db", f"--artifacts-destination={place}/files"]
    command = [program, "server", *options, f"--port={port}", "--workers=1"]
    environment = {**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}  # six processes that nobody needs
    with (place / "log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)
    address = f"http://127.0.0.1:{port}"
    try:
        while not _answers(address):
            assert process.poll() is None, (place / "log").read_text(errors="replace")
            time.sleep(0.5)
        yield address
    finally:
        os.killpg(process.pid, 15)
        process.wait()


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/health", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


@pytest.mark.timeout(300)
def test_second_export_into_mlflow_changes_the_run_and_makes_no_other(
    server: str, cli: Callable[..., Any], folder: Path
) -> None:
    from mlflow import MlflowClient

    cli("run", "--model=demo:eroding", "--suite=smoke", "--sample=35", "--report=off")
    run = (folder / "reports" / "latest").resolve()
    for _ in range(2):
        done = cli("export", "latest", "--to=mlflow", f"--address={server}", "--project=safety")
        assert (done.status, done.out.startswith(f"{server}/#/experiments/")) == (0, True), done.out + done.err
    client = MlflowClient(server)
    experiment = client.get_experiment_by_name("safety")
    assert experiment is not None
    (found,) = client.search_runs([experiment.experiment_id])
    summary = json.loads((run / "summary.json").read_text(encoding="utf-8"))
    assert found.data.metrics["pass_rate"] == summary["pass_rate"]
    assert found.data.metrics["turn/T2/mean_low"] == summary["turns"][2]["mean_interval"]["low"]
    assert len(client.get_metric_history(found.info.run_id, "pass_rate")) == 1
    assert found.data.params["target"] == "demo:eroding"
    assert found.data.tags["jmedethic.gate"] == json.loads((run / "gate.json").read_text(encoding="utf-8"))["answer"]
    kept = {item.path for item in client.list_artifacts(found.info.run_id)}
    assert {"summary.md", "tables"} <= kept
    assert not {"report.html", "verdicts.jsonl"} & kept
    client.log_metric(found.info.run_id, "pass_rate", 0.99)
    assert cli("export", "latest", "--to=mlflow", f"--address={server}", "--project=safety").status == 0
    assert client.get_run(found.info.run_id).data.metrics["pass_rate"] == summary["pass_rate"]
    client.log_metric(found.info.run_id, "turn/T9/mean", 5)
    gone = cli("export", "latest", "--to=mlflow", f"--address={server}", "--project=safety")
    assert (gone.status, "turn/T9/mean" in gone.err) == (6, True), gone.err


def test_server_that_is_not_there_is_said_in_one_line(
    cli: Callable[..., Any], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _needs("mlflow", "mlflow-skinny")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    cli("run", "--model=demo:aligned", "--suite=smoke", "--sample=3", "--report=off")
    done = cli("export", "latest", "--to=mlflow", "--address=http://127.0.0.1:9")
    assert (done.status, len(done.err.strip().splitlines())) == (6, 1), done.err
    assert "See that the server is there (--address, MLFLOW_TRACKING_URI)." in done.err


@pytest.mark.timeout(300)
def test_wandb_offline_holds_figures_and_no_text_of_a_model(cli: Callable[..., Any], folder: Path) -> None:
    _needs("wandb", "wandb")
    cli("run", "--model=demo:eroding", "--suite=smoke", "--sample=35", "--report=off")
    command = [sys.executable, "-m", "jmedethic_pytest", "export", "latest", "--to=wandb"]
    environment = {**os.environ, "WANDB_MODE": "offline"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "next: wandb sync" in done.stdout
    (file,) = (folder / "wandb").glob("offline-run-*/*.wandb")
    kept = file.read_bytes()
    assert b"turn/T2/mean_low" in kept
    assert b"demo:eroding" in kept
    assert "模擬".encode() not in kept
