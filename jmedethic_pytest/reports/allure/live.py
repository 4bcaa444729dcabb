"""Completes the results allure-pytest writes while tests run, in every process that runs some.

It stands in for allure-pytest's file writer: a result is completed at the one moment when everything is known, and the
records of our own fixtures, four files for every test that tell nothing, are not written.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import allure_commons
from allure_commons.logger import AllureFileLogger

from jmedethic_pytest.core.records import Verdict
from jmedethic_pytest.core.vocabulary import Vocabulary
from jmedethic_pytest.reports.allure.policy import Telling, guideline_page
from jmedethic_pytest.reports.allure.result import PARAMETER, Writer

_OUR_FIXTURES = {"jmedethic_session", PARAMETER, "verdict", "case", "engine", "request"}


class Recorder:
    """Writes what allure-pytest reports in this process.

    Args:
        original: the writer it stands in for.
        writer: completes results.
    """

    def __init__(self, original: Any, writer: Writer) -> None:
        self._original = original
        self._writer = writer
        self._verdict: Verdict | None = None

    def note(self, verdict: Verdict) -> None:
        """Remember the verdict the running test was given; its result comes next."""
        self._verdict = verdict

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
        """Write what fixtures did, unless they are ours and did it well."""
        done = [*container.befores, *container.afters]
        ours = all(str(item.name).partition("::")[0] in _OUR_FIXTURES for item in done)
        if not ours:
            self._original.report_container(container)

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
    folder: str, telling: Telling, vocabulary: Vocabulary, patterns: Iterable[Sequence[str]] = ()
) -> Recorder | None:
    """Put a recorder in the place of allure-pytest's writer; ``None`` if allure-pytest is not active.

    Args:
        folder: the Allure results folder.
        telling: what is known of the run.
        vocabulary: its words.
        patterns: of links, as ``--allure-link-pattern`` gives them.
    """
    manager = allure_commons.plugin_manager
    for plugin in manager.get_plugins():
        if isinstance(plugin, AllureFileLogger):
            recorder = Recorder(plugin, Writer(Path(folder), telling, guideline_page(patterns), vocabulary))
            manager.unregister(plugin)
            manager.register(recorder)
            return recorder
    return None
