"""The pytest plugin: hooks and fixtures only; what they do stands in :mod:`jmedethic_pytest.pytest_plugin.session`.

Without ``--model`` nothing is imported and nothing costs time; tests that need a model are then deselected.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Generator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from jmedethic_pytest.run.options import MODEL_HELP, OPTIONS

if TYPE_CHECKING:
    from jmedethic_pytest.core.records import Case, Verdict
    from jmedethic_pytest.pytest_plugin.session import ControllerSession, LiveEngine, Session
    from jmedethic_pytest.reports.allure.live import Recorder

_SESSION: pytest.StashKey[Session | None] = pytest.StashKey()
_VERDICT: pytest.StashKey[Verdict] = pytest.StashKey()
_COLLECTING: pytest.StashKey[ExitStack] = pytest.StashKey()
_RECORDER: pytest.StashKey[Recorder] = pytest.StashKey()
_SUMMED_UP = (0, 1, 2, 4, 5)
"""Exit statuses for which every version of pytest prints a summary."""
_MARK = "jmedethic_session"
"""The fixture behind all of ours: a test without it is not ours, even if it has an ``engine`` of its own."""
_PARAMETER = "jmedethic_case_id"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare ``--model`` and the ``--jmed-*`` options."""
    group = parser.getgroup("jmedethic", "safety regression of medical LLMs (jmedethic-pytest)")
    group.addoption("--model", metavar="PROVIDER:NAME", default=None, help=MODEL_HELP)
    for option in OPTIONS:
        kind: dict[str, Any] = (
            {"action": "store_true"} if option.is_flag else {"default": None, "metavar": option.metavar}
        )
        group.addoption(f"--jmed-{option.name}", dest=f"jmed_{option.key}", help=option.help, **kind)


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """Keep workers from emptying the Allure folder: the controller has; a worker in place of a dead one comes late."""
    if config.option.model is not None and hasattr(config, "workerinput"):
        config.option.clean_alluredir = False


def pytest_configure(config: pytest.Config) -> None:
    """Check all input before anything is started or paid."""
    session = None
    if config.option.model is not None:
        from jmedethic_pytest.engine.garbage import WHILE_COLLECTING, fewer_collections
        from jmedethic_pytest.pytest_plugin.session import open_session

        collecting = ExitStack()
        collecting.enter_context(fewer_collections(WHILE_COLLECTING))
        config.stash[_COLLECTING] = collecting
        config.add_cleanup(collecting.close)
        session = open_session(config)
    config.stash[_SESSION] = session
    controller = _controller(config)
    if controller is not None:
        config.pluginmanager.register(controller, "jmedethic-controller")


def _controller(config: pytest.Config) -> ControllerSession | None:
    """Return the controller's session, ``None`` in workers and without a model."""
    session = config.stash.get(_SESSION, None)
    if session is None:
        return None
    from jmedethic_pytest.pytest_plugin.session import ControllerSession

    return session if isinstance(session, ControllerSession) else None


def _only_looks(config: pytest.Config) -> bool:
    """Tell whether pytest was asked to show something and to run no test: then no call may be paid."""
    names = ("collectonly", "setupplan", "showfixtures", "show_fixtures_per_test")
    return any(getattr(config.option, name, False) for name in names)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Start the engine before xdist starts its workers, which need the broker's address."""
    controller = _controller(session.config)
    if controller is not None and controller.prepared.settings.dry_run:
        pytest.exit("\n".join(controller.estimate_lines()), returncode=0)
    if controller is not None and not _only_looks(session.config):
        controller.start(distributed=bool(getattr(session.config.option, "tx", None)))
    _record_for_allure(session.config)


def _record_for_allure(config: pytest.Config) -> None:
    """Complete what allure-pytest writes in this process, if a report was asked for."""
    session = config.stash.get(_SESSION, None)
    folder = getattr(config.option, "allure_report_dir", None)
    if session is None or session.telling is None or not folder or _only_looks(config):
        return
    from jmedethic_pytest.reports.allure import live

    recorder = live.install(folder, session.telling, session.vocabulary, config.option.allure_link_pattern)
    if recorder is not None:
        config.stash[_RECORDER] = recorder
        config.add_cleanup(recorder.remove)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell an xdist worker the case ids and where to ask for verdicts."""
    controller = _controller(node.config)
    if controller is not None:
        from jmedethic_pytest.pytest_plugin.session import WORKERINPUT

        node.workerinput[WORKERINPUT] = controller.worker_input()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make one test of every selected case; the parameter is the id alone, so that collection stays cheap."""
    if _PARAMETER in metafunc.fixturenames:
        session = metafunc.config.stash.get(_SESSION, None)
        metafunc.parametrize(_PARAMETER, session.ids if session is not None else [])


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With a model keep only tests that need one, without a model only those that do not."""
    session = config.stash.get(_SESSION, None)

    def wanted(item: pytest.Item) -> bool:
        names = getattr(item, "fixturenames", ())
        empty = _PARAMETER in names and not (session and session.ids)
        return (_MARK in names) == (session is not None) and not empty

    kept: list[pytest.Item] = []
    dropped: list[pytest.Item] = []
    for item in items:
        (kept if wanted(item) else dropped).append(item)
    if dropped:
        config.hook.pytest_deselected(items=dropped)
        items[:] = kept


def pytest_collection_finish(session: pytest.Session) -> None:
    """Send the engine ahead, in the order of the tests."""
    if _COLLECTING in session.config.stash and not _only_looks(session.config):
        session.config.stash[_COLLECTING].close()
    ours = session.config.stash.get(_SESSION, None)
    if ours is not None and not _only_looks(session.config):
        calls = [
            item.callspec for item in session.items if isinstance(item, pytest.Function) and hasattr(item, "callspec")
        ]
        ids = [str(call.params[_PARAMETER]) for call in calls if _PARAMETER in call.params]
        if ids:
            ours.plan(ids)


@pytest.fixture
def jmedethic_session(request: pytest.FixtureRequest) -> Session:
    """This process's side of the run; for internal use."""
    session = request.config.stash[_SESSION]
    assert session is not None
    return session


@pytest.fixture
def verdict(jmedethic_session: Session, jmedethic_case_id: str, request: pytest.FixtureRequest) -> Verdict:
    """The finished evaluation of one benchmark case. The test is run once for every selected case.

    Example::

        def test_last_turn_is_safe(verdict):
            assert verdict.turn_scores[-1] > 5
    """
    found = jmedethic_session.verdict(jmedethic_case_id)
    request.node.stash[_VERDICT] = found
    if _RECORDER in request.config.stash:
        request.config.stash[_RECORDER].note(found)
    if found.status != "scored" and not found.red:
        from jmedethic_pytest.judging.verdict import check

        check(found)
    return found


@pytest.fixture
def case(verdict: Verdict) -> Case:
    """The case behind ``verdict``: its texts, guideline, strategy and reviewers' notes."""
    return verdict.case


@pytest.fixture
def engine(jmedethic_session: Session) -> LiveEngine:
    """Evaluates a case of your own: ``engine.evaluate(Case(...))`` returns its verdict."""
    from jmedethic_pytest.pytest_plugin.session import LiveEngine

    return LiveEngine(jmedethic_session)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Mark our own outcomes, and show them as one line instead of a traceback through this package."""
    report = yield
    if isinstance(item, pytest.Function) and hasattr(item, "callspec") and _PARAMETER in item.callspec.params:
        report.jmedethic_key = str(item.callspec.params[_PARAMETER])  # type: ignore[attr-defined]
    if call.excinfo is not None and item.config.stash.get(_SESSION, None) is not None:
        from jmedethic_pytest.core.errors import JmedError, KnownFailure, ThresholdFailure
        from jmedethic_pytest.pytest_plugin.session import outcome_kind

        kind = outcome_kind(call.excinfo.value, item.stash.get(_VERDICT, None))
        if kind is not None:
            report.jmedethic = kind  # type: ignore[attr-defined]
        if isinstance(call.excinfo.value, JmedError | ThresholdFailure):
            report.longrepr = call.excinfo.getrepr(style="value")
        if kind == "floor" and isinstance(call.excinfo.value, KnownFailure) and not item.config.option.jmed_strict:
            report.outcome, report.wasxfail = "skipped", str(call.excinfo.value)  # as a test marked xfail
    return report


def pytest_report_header(config: pytest.Config) -> list[str]:
    """Say what will be evaluated, and that a simulation is one."""
    controller = _controller(config)
    if controller is None:
        return []
    from jmedethic_pytest.run.header import header_lines

    return header_lines(controller.prepared)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int | pytest.ExitCode) -> None:
    """Compute the statistics, decide the gate, show its conditions as tests, set the exit status."""
    if session.config.stash.get(_SESSION, None) is not None:
        _spare_hypothesis(session.config)
    controller = _controller(session.config)
    if controller is None:
        return
    vetoed = int(session.exitstatus) if session.exitstatus != exitstatus else 0  # by a plugin before us
    session.exitstatus = controller.finish(int(exitstatus), session.testsfailed) or vetoed
    reports = controller.gate_reports()
    session.testscollected += len(reports)
    terminal = session.config.pluginmanager.getplugin("terminalreporter")
    if terminal is not None:
        terminal.ensure_newline()
    hook = _without_last_failed(session.config)
    for report in reports:
        hook(report=report)
    controller.report_to_allure()
    if terminal is not None and int(exitstatus) not in _SUMMED_UP:
        _print_summary(terminal, controller)


def _spare_hypothesis(config: pytest.Config) -> None:
    """Keep a run whose tests did not use Hypothesis from importing it (up to a CPU second) for an empty summary."""
    if "hypothesis" not in sys.modules:
        plugin = config.pluginmanager.getplugin("hypothesispytest")
        if plugin is not None:
            config.pluginmanager.unregister(plugin)


def _without_last_failed(config: pytest.Config) -> Any:
    """Return the report hook without pytest's memories of failures: a gate condition is no test that could be rerun."""
    memories = [config.pluginmanager.getplugin(name) for name in ("lfplugin", "stepwiseplugin")]
    return config.pluginmanager.subset_hook_caller("pytest_runtest_logreport", [item for item in memories if item])


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Print the figures and the gate's answer; never any text of a model."""
    _print_summary(terminalreporter, _controller(config))


def _print_summary(terminalreporter: Any, controller: ControllerSession | None) -> None:
    if controller is None or controller.told:
        return
    if controller.outcome is None and controller.trouble is None and not controller.idle:
        return
    controller.told = True
    terminalreporter.section("jmedethic: safety regression")
    from jmedethic_pytest.reports import ci
    from jmedethic_pytest.reports.terminal.summary import summary_lines

    if controller.idle:
        lines = ["GATE: NOT DECIDED: no test asked for a benchmark conversation, so nothing is said about the model"]
    elif controller.outcome is None or controller.trouble is not None:
        trouble = str(controller.trouble)
        lines = [f"GATE: INCONCLUSIVE: {trouble}", *ci.publish_trouble(trouble, os.environ)]
    else:
        lines = [*summary_lines(controller.outcome), *ci.publish(controller.outcome, os.environ)]
    for line in lines:
        terminalreporter.write_line(line)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Leave no thread behind, however pytest ended."""
    controller = _controller(config)
    if controller is not None:
        controller.abort()
