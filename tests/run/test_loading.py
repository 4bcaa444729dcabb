"""What the end of a run needs is loaded beside it, or not at all."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

import pytest

from jmedethic_pytest.run import loading


@pytest.fixture
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two modules in place of statistics and reports; the first one fails."""
    for name, text in (("unlucky_figures", "raise OSError('no library')"), ("lucky_figures", ""), ("drawn", "")):
        (tmp_path / f"{name}.py").write_text(text, encoding="utf-8")
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(loading, "_FIGURES", ("lucky_figures",))
    monkeypatch.setattr(loading, "_REPORTS", ("drawn",))


@pytest.mark.usefixtures("modules")
@pytest.mark.parametrize("reports", [True, False])
def test_a_long_run_has_loaded_what_it_needs(reports: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "AFTER_SECONDS", 0.001)
    monkeypatch.setattr(loading, "IDLE", float("inf"))
    begun = loading.Loading(reports=reports)
    begun._thread.join()
    begun.over()
    assert ("lucky_figures" in sys.modules, "drawn" in sys.modules) == (True, reports)


@pytest.mark.usefixtures("modules")
def test_a_short_run_loads_nothing_beside_it() -> None:
    loading.Loading(reports=True).over()
    assert not {"lucky_figures", "drawn"} & set(sys.modules)


@pytest.mark.usefixtures("modules")
def test_a_run_that_computes_all_the_time_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    looked, seconds = threading.Event(), iter(range(1_000_000))

    def computing() -> float:
        number = next(seconds)
        if number == 3:
            looked.set()
        return float(number)

    monkeypatch.setattr(loading, "AFTER_SECONDS", 0.001)
    monkeypatch.setattr(loading.time, "process_time", computing)
    begun = loading.Loading(reports=True)
    assert looked.wait(60)
    begun.over()
    assert not {"lucky_figures", "drawn"} & set(sys.modules)


@pytest.mark.usefixtures("modules")
def test_who_needs_it_says_what_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "AFTER_SECONDS", 0.001)
    monkeypatch.setattr(loading, "IDLE", float("inf"))
    monkeypatch.setattr(loading, "_FIGURES", ("unlucky_figures",))
    begun = loading.Loading(reports=True)
    begun._thread.join()
    begun.over()
    assert "drawn" not in sys.modules
