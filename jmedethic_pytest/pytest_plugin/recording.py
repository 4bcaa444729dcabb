"""Completes what allure-pytest writes in this process, where a report was asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from jmedethic_pytest.pytest_plugin.session import Session
    from jmedethic_pytest.reports.allure.live import Recorder


def record(config: pytest.Config, session: Session | None) -> Recorder | None:
    """Begin to record, until pytest ends; ``None`` if there is nothing to record.

    Args:
        config: pytest's.
        session: this process's side of the run.
    """
    folder = getattr(config.option, "allure_report_dir", None)
    if session is None or session.telling is None or not folder:
        return None
    from jmedethic_pytest.reports.allure import live

    installed = config.pluginmanager.list_plugin_distinfo()
    plugins = {"_pytest", *(str(getattr(plugin, "__name__", "")).partition(".")[0] for plugin, _ in installed)}
    patterns = config.option.allure_link_pattern
    recorder = live.install(folder, session.telling, session.vocabulary, patterns, plugins)
    if recorder is not None:
        config.pluginmanager.register(_Owners(recorder))
        config.add_cleanup(recorder.remove)
    return recorder


class _Owners:
    """Tells the recorder whose a fixture is when it is set up."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[Any]) -> None:
        self._recorder.note_fixture(fixturedef.argname, str(getattr(fixturedef.func, "__module__", "")))
