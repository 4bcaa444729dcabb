"""A run in MLflow: one run there, found again by its tag, so that a second export changes it and makes no other."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from jmedethic_pytest.core.errors import ConfigError, StoreError, not_installed
from jmedethic_pytest.reports.trackers.told import RUN, Told

_NOTE = "mlflow.note.content"
"""The tag that MLflow shows as a run's description, as Markdown."""


def send(told: Told, folder: Path, project: str, address: str | None) -> str:
    """Write a run into an experiment.

    Args:
        told: the run.
        folder: files that go along.
        project: name of the experiment; made if there is none.
        address: of the tracking server, or a database; ``None`` for what MLflow is set up for (MLFLOW_TRACKING_URI).

    Returns:
        Where it is.

    Raises:
        ConfigError: if MLflow is not installed.
        StoreError: if the server cannot be reached or refuses, or knows figures of this run that it has no longer.
    """
    try:
        from mlflow import MlflowClient
        from mlflow.exceptions import MlflowException
    except ImportError:
        raise not_installed("--to mlflow", "mlflow-skinny", "mlflow") from None
    os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")  # it is told by our own line
    try:
        client = MlflowClient(tracking_uri=address)
        run = _found(client, told, project)
        _write(client, run, told)
        client.log_artifacts(run.info.run_id, str(folder))
        client.set_terminated(run.info.run_id, "FINISHED", _milliseconds(told.ended))
    except (MlflowException, ImportError, OSError) as error:  # a database needs more than mlflow-skinny
        said = str(error).splitlines()[0][:300]
        raise StoreError(
            f"--to mlflow: {said}. See that the server is there (--address, MLFLOW_TRACKING_URI)."
        ) from None
    where = f"experiments/{run.info.experiment_id}/runs/{run.info.run_id}"
    server = client.tracking_uri
    return f"{server.rstrip('/')}/#/{where}" if server.startswith("http") else f"{server}: {where}"


def _found(client: Any, told: Told, project: str) -> Any:
    """Return the run that an earlier export made, or a new one."""
    experiment = client.get_experiment_by_name(project)
    if experiment is not None and experiment.lifecycle_stage != "active":
        raise ConfigError(f"--project: the experiment {project!r} was deleted in MLflow. Restore it, or give another.")
    number = experiment.experiment_id if experiment is not None else client.create_experiment(project)
    known = client.search_runs([number], f"tags.`{RUN}` = '{told.run}'", max_results=1)
    return known[0] if known else client.create_run(number, _milliseconds(told.started), {RUN: told.run}, told.run)


def _write(client: Any, run: Any, told: Told) -> None:
    """Write parameters, tags, and those figures that are not there yet: MLflow keeps every value it was ever given."""
    from mlflow.entities import Metric, Param, RunTag

    before: dict[str, float] = run.data.metrics
    gone = sorted(before.keys() - told.figures.keys())
    if gone:
        raise StoreError(
            f"--to mlflow: run {run.info.run_id} there has figures that this run has no longer: {', '.join(gone[:5])}. "
            "Delete it in MLflow and export again."
        )
    # A first value belongs to the run's end, so that equal exports are equal; a later one replaces it by being later.
    end, now = _milliseconds(told.ended), round(datetime.now().astimezone().timestamp() * 1000)
    figures = [
        Metric(name, value, now if name in before else end, 0)
        for name, value in told.figures.items()
        if before.get(name) != value
    ]
    new = [Param(name, value) for name, value in told.parameters.items() if run.data.params.get(name) != value]
    tags = [RunTag(name, value) for name, value in {**told.answers, _NOTE: told.note}.items()]
    for part in _parts(figures, 1000):
        client.log_batch(run.info.run_id, metrics=part)
    client.log_batch(run.info.run_id, params=new, tags=tags)


def _parts(items: list[Any], size: int) -> Iterator[list[Any]]:
    """Yield a list in parts that the server takes at once."""
    yield from (items[at : at + size] for at in range(0, len(items), size))


def _milliseconds(moment: str) -> int:
    return round(datetime.fromisoformat(moment).timestamp() * 1000)
