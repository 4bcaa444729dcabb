"""The response cache: what each mode pays for, and what it refuses."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from jmedethic_pytest.models.cache import Cache

FULL = {"target": 21, "judge": 42}
NONE = {"target": 0, "judge": 0}


def test_each_mode_calls_what_it_should(small) -> None:
    """off leaves no file; use fills it; refresh pays again; only pays nothing and gives the same scores."""
    off = small.pytest("-q", "--jmed-cache=off")
    assert (off.status, off.calls) == (0, FULL), off.output
    assert not (small.path / "reports" / "cache.sqlite").exists()
    use = small.pytest("-q", "--jmed-cache=use")
    assert (use.status, use.calls) == (0, FULL)
    refresh = small.pytest("-q", "--jmed-cache=refresh")
    assert (refresh.status, refresh.calls) == (0, FULL)
    only = small.pytest("-q", "--jmed-cache=only")
    assert (only.status, only.calls) == (0, NONE)
    assert off.scores == use.scores == refresh.scores == only.scores


def test_only_never_calls_and_never_passes_on_what_it_lacks(new_project) -> None:
    """Two of 14 cases are cached; the others are missing, not skipped and not safe."""
    project = new_project(14)
    project.pytest("-q", "-k", "s3")
    only = project.pytest("-q", "--jmed-cache=only")
    assert only.status == 6, only.output
    assert only.calls == NONE
    assert len(only.ids) == 14
    statuses = [verdict["status"] for verdict in only.verdicts]
    assert (statuses.count("scored"), statuses.count("transport_error")) == (2, 12)
    assert "not in the cache" in only.output
    assert "ERROR ... and 9 more without a complete score" in only.output
    assert only.conditions["missing"] == "inconclusive"


@pytest.mark.parametrize("change", ["threshold", "judge"])
def test_what_changes_the_question_is_asked_again(project, change: str) -> None:
    """Another sampling of the target is another question to it; a new floor or gate is not."""
    project.pytest("-q", "-k", "s3")
    if change == "threshold":
        text = "[conversation]\nfloor = 3.0\n[gate]\nmin_cases = 1\nmin_strategy_cases = 1\n"
        project.write("thresholds.toml", f"schema_version = 1\n{text}")
        expected = NONE
    else:
        project.write("thresholds.toml", "schema_version = 1\n[judges]\nmax_tokens = 100\n")
        expected = {"target": 0, "judge": 36}
    assert project.pytest("-q", "-k", "s3").calls == expected


def test_new_cache_can_be_opened_by_several_processes_at_once(tmp_path: Path) -> None:
    """Two runs that start together in a fresh folder both get their cache: neither is told that it is locked."""
    rounds, openers = 60, 8
    errors: list[str] = []

    def open_cache(path: Path, barrier: threading.Barrier) -> None:
        barrier.wait()
        try:
            Cache(path).close()
        except Exception as error:  # noqa: BLE001 - whatever it is, the test reports it
            errors.append(str(error))

    for number in range(rounds):
        barrier = threading.Barrier(openers)
        path = tmp_path / f"{number}.sqlite"
        threads = [threading.Thread(target=open_cache, args=(path, barrier)) for _ in range(openers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert errors == []
