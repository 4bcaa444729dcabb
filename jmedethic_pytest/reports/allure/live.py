"""Completes the results allure-pytest writes while tests run, in every process that runs some.

It stands in for allure-pytest's file writer: a result is completed at the one moment when everything is known, and the
records of plugins' fixtures, files for every test that tell nothing, are not written.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from pathlib import Path
from typing import Any

import allure_commons
from allure_commons.logger import AllureFileLogger

from jmedethic_pytest.core.records import Verdict
from jmedethic_pytest.core.vocabulary import Vocabulary
from jmedethic_pytest.reports.allure.policy import Telling, guideline_page
from jmedethic_pytest.reports.allure.result import PARAMETER, Writer

_PSEUDO_FIXTURES = {PARAMETER, "request"}


class Recorder:
    """Writes what allure-pytest reports in this process.

    Args:
        original: the writer it stands in for.
        writer: completes results.
        plugins: top-level packages of pytest and of the plugins installed beside it.
    """

    def __init__(self, original: Any, writer: Writer, plugins: Container[str] = ()) -> None:
        self._original = original
        self._writer = writer
        self._plugins = plugins
        self._plumbing = set(_PSEUDO_FIXTURES)
        self._verdict: Verdict | None = None

    def note(self, verdict: Verdict) -> None:
        """Remember the verdict the running test was given; its result comes next."""
        self._verdict = verdict

    def note_fixture(self, name: str, module: str) -> None:
        """Remember whether a fixture that is set up is a plugin's: what it does tells a reader nothing."""
        if module.partition(".")[0] in self._plugins:
            self._plumbing.add(name)
        else:  # the user's own, perhaps in the place of a plugin's
            self._plumbing.discard(name)

    @allure_commons.hookimpl
    def report_result(self, result: Any) -> None:
        """Complete a result and write it."""
        verdict, self._verdict = self._verdict, None
        if verdict is not None:
            self._writer.complete(result, verdict)
        else:
            self._writer.identify(result)
        self._original.report_result(result)

    @allure_commons.hookimpl
    def report_container(self, container: Any) -> None:
        """Write what the user's own fixtures did; those of plugins, this one among them, are no steps of a test."""
        container.befores, container.afters = map(self._told, (container.befores, container.afters))
        if container.befores or container.afters:
            self._original.report_container(container)

    def _told(self, done: Iterable[Any]) -> list[Any]:
        return [item for item in done if str(item.name).partition("::")[0] not in self._plumbing]

    @allure_commons.hookimpl
    def report_attached_file(self, source: Any, file_name: str) -> None:
        """Write an attachment of a test of the user's own."""
        self._original.report_attached_file(source, file_name)

    @allure_commons.hookimpl
    def report_attached_data(self, body: Any, file_name: str) -> None:
        """Write an attachment of a test of the user's own."""
        self._original.report_attached_data(body, file_name)

    @allure_commons.hookimpl
    def report_globals(self, globals_item: Any) -> None:
        """Write what belongs to the whole run."""
        self._original.report_globals(globals_item)

    def remove(self) -> None:
        """Give the place back: allure-pytest looks for its own writer when it ends."""
        allure_commons.plugin_manager.unregister(self)
        allure_commons.plugin_manager.register(self._original)


def install(
    folder: str,
    telling: Telling,
    vocabulary: Vocabulary,
    patterns: Iterable[Sequence[str]] = (),
    plugins: Container[str] = (),
) -> Recorder | None:
    """Put a recorder in the place of allure-pytest's writer; ``None`` if allure-pytest is not active.

    Args:
        folder: the Allure results folder.
        telling: what is known of the run.
        vocabulary: its words.
        patterns: of links, as ``--allure-link-pattern`` gives them.
        plugins: top-level packages of pytest and of the plugins installed beside it.
    """
    manager = allure_commons.plugin_manager
    for plugin in manager.get_plugins():
        if isinstance(plugin, AllureFileLogger):
            recorder = Recorder(plugin, Writer(Path(folder), telling, guideline_page(patterns), vocabulary), plugins)
            manager.unregister(plugin)
            manager.register(recorder)
            return recorder
    return None
