"""The pytest plugin: hooks and fixtures only; what they do stands in the modules beside.

Without ``--model`` nothing is imported and nothing costs time; tests that need a model are then deselected.
"""

from __future__ import annotations

import gc
import warnings
from collections.abc import Generator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from jmedethic_pytest.core import garbage, interface
from jmedethic_pytest.core.errors import ConfigError
from jmedethic_pytest.core.sentences import Said, say
from jmedethic_pytest.core.status import ExitStatus
from jmedethic_pytest.pytest_plugin import bundled, display, hookspecs
from jmedethic_pytest.pytest_plugin.recording import record
from jmedethic_pytest.run.options import MODEL_HELP, OPTIONS

if TYPE_CHECKING:
    from jmedethic_pytest.core.records import Case, Verdict
    from jmedethic_pytest.pytest_plugin.controller import ControllerSession
    from jmedethic_pytest.pytest_plugin.session import LiveEngine, Session
    from jmedethic_pytest.reports.allure.live import Recorder

_SESSION: pytest.StashKey[Session | None] = pytest.StashKey()
_CONTROLLER: pytest.StashKey[ControllerSession] = pytest.StashKey()
_GIVEN: pytest.StashKey[str] = pytest.StashKey()
"""The evaluation whose verdict a test was given; with the verdict itself every test would keep a conversation."""
_WAITING: pytest.StashKey[bool] = pytest.StashKey()
"""Whether all that was collected are tests that need a model, and none was named."""
_RECORDER: pytest.StashKey[Recorder] = pytest.StashKey()
_UNSEARCHED: pytest.StashKey[ExitStack] = pytest.StashKey()
"""What ends the seldom search for garbage, which is a fifth of the CPU of a small run, most of it among libraries."""
_SUMMED_UP = set(ExitStatus) - {ExitStatus.INCONCLUSIVE, ExitStatus.BUDGET}
"""Exit statuses for which every version of pytest prints a summary."""
_MARK = "jmedethic_session"
"""The fixture behind all of ours: a test without it is not ours, even if it has an ``engine`` of its own."""
_PARAMETER = "jmedethic_key"


# ---------------------------------------------------------------- before the tests


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """Let plugins and ``conftest.py`` files implement our hooks, with and without a model."""
    pluginmanager.add_hookspecs(hookspecs)
    pluginmanager.register(_Unasked(), "jmedethic-unasked")


class _Unasked:
    """Keeps pytest-asyncio, which this package brings along, from warning projects that never chose it."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_configure(self) -> None:
        """Come before it: where warnings are errors, its first one would end the session."""
        warnings.filterwarnings("ignore", '(?s).*"asyncio_default_fixture_loop_scope" is unset')


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare ``--model`` and the ``--jmed-*`` options."""
    group = parser.getgroup("jmedethic", "safety regression of medical LLMs (jmedethic-pytest)")
    group.addoption("--model", metavar="PROVIDER:NAME", default=None, help=MODEL_HELP)
    for option in OPTIONS:
        kind: dict[str, Any] = (
            {"action": "store_true"} if option.is_flag else {"default": None, "metavar": option.metavar}
        )
        group.addoption(f"--jmed-{option.name}", dest=f"jmed_{option.key}", help=option.help, **kind)
    group.addoption("--jmed-lang", metavar="en|ja", default=None, help=interface.HELP)


def _evaluates(config: pytest.Config) -> bool:
    """Tell whether a model is to be evaluated."""
    return config.option.model is not None or config.option.jmed_serve is not None


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> int | None:
    """Make several sessions of one command where it asks for several models.

    Workers are kept from emptying the Allure folder: the controller has; a worker in place of a dead one comes late.
    """
    if not _evaluates(config):
        return None
    if hasattr(config, "workerinput"):
        config.option.clean_alluredir = False
        return None
    if config.option.jmed_adapters is None:
        return None
    from jmedethic_pytest.pytest_plugin import several

    return several.evaluate(config)


def pytest_configure(config: pytest.Config) -> None:
    """Check all input before anything is started or paid."""
    config.stash[_SESSION] = None
    if config.option.pyargs:
        config.args[:] = map(bundled.place, config.args)
    if config.option.jmed_lang is not None or _evaluates(config):  # that no model was named is told in it, too
        try:
            interface.choose(config.option.jmed_lang, "--jmed-lang")
        except ConfigError as error:
            raise pytest.UsageError(str(error)) from None
    if not _evaluates(config):
        return
    if getattr(config.option, "forked", False):  # a forked child has neither the engine's thread nor a way to it
        raise pytest.UsageError("--forked cannot be used with --model: use -n for tests in processes of their own.")
    if config.option.showfixtures or config.option.show_fixtures_per_test:  # pytest ends these with 0, whatever happens
        raise pytest.UsageError("--fixtures and --fixtures-per-test run no test. Leave --model out, or leave them out.")
    config.stash[_UNSEARCHED] = ExitStack()
    config.stash[_UNSEARCHED].enter_context(garbage.searched_rarely())
    from jmedethic_pytest.pytest_plugin.session import WorkerSession, open_session

    session = config.stash[_SESSION] = open_session(config)
    if session is not None and not isinstance(session, WorkerSession):
        config.stash[_CONTROLLER] = session
        config.pluginmanager.register(session, "jmedethic-controller")


def _only_looks(config: pytest.Config) -> bool:
    """Tell whether pytest was asked to show something and to run no test: then no call may be paid."""
    return bool(config.option.collectonly or config.option.setupplan)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Start the engine before xdist starts its workers, which need the broker's address."""
    controller = session.config.stash.get(_CONTROLLER, None)
    if controller is not None and controller.spec.settings.dry_run:
        lines = [*controller.estimate_lines(), interface.shown(say("session.dry_run"))]
        pytest.exit("\n".join(lines), returncode=ExitStatus.INCONCLUSIVE)
    if _only_looks(session.config):
        return
    if controller is not None:
        terminal = session.config.pluginmanager.getplugin("terminalreporter")
        if terminal is not None and session.config.option.verbose == -1:  # -q: then pytest asks for no header
            for line in _header(session.config):
                terminal.write_line(line)
        controller.start(distributed=bool(getattr(session.config.option, "tx", None)))
    recorder = record(session.config, session.config.stash.get(_SESSION, None))
    if recorder is not None:
        session.config.stash[_RECORDER] = recorder


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell an xdist worker the keys of the evaluations and where to ask for verdicts."""
    controller = node.config.stash.get(_CONTROLLER, None)
    if controller is not None:
        from jmedethic_pytest.pytest_plugin.session import WORKERINPUT

        node.workerinput[WORKERINPUT] = controller.worker_input()


# ---------------------------------------------------------------- collection


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Generator[None, object, object]:
    """Collect our tests without looking for garbage."""
    if session.config.stash.get(_SESSION, None) is None:
        return (yield)
    with garbage.not_searched():
        found = yield
    gc.freeze()  # tests stay; the last search is for what they leave behind
    return found


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make one test of every planned evaluation; the parameter is its key alone, so that collection stays cheap."""
    if _PARAMETER in metafunc.fixturenames:
        session = metafunc.config.stash.get(_SESSION, None)
        metafunc.parametrize(_PARAMETER, session.keys if session is not None else [])


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With a model keep only tests that need one, without a model only those that do not."""
    session = config.stash.get(_SESSION, None)
    kept: list[pytest.Item] = []
    dropped: list[pytest.Item] = []
    for item in items:
        names = getattr(item, "fixturenames", ())
        empty = _PARAMETER in names and not (session and session.keys)
        (kept if (_MARK in names) == (session is not None) and not empty else dropped).append(item)
    if dropped:
        config.hook.pytest_deselected(items=dropped)
        items[:] = kept
    config.stash[_WAITING] = session is None and bool(dropped) and not kept


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Learn from an xdist worker, which alone collects, that its tests wait for a model."""
    if getattr(node, "workeroutput", {}).get(_MARK):
        node.config.stash[_WAITING] = True


def _key(item: pytest.Item) -> str | None:
    """Return which evaluation a test is of, ``None`` if it is of none."""
    callspec = getattr(item, "callspec", None) if isinstance(item, pytest.Function) else None
    return str(callspec.params[_PARAMETER]) if callspec is not None and _PARAMETER in callspec.params else None


def pytest_collection_finish(session: pytest.Session) -> None:
    """Send the engine ahead, in the order of the tests."""
    ours = session.config.stash.get(_SESSION, None)
    if ours is None or _only_looks(session.config):
        return
    keys = [key for item in session.items if (key := _key(item)) is not None]
    if keys:
        ours.plan(keys)


# ---------------------------------------------------------------- fixtures


@pytest.fixture(scope="session")
def jmedethic_session(request: pytest.FixtureRequest) -> Session:
    """This process's side of the run; for internal use."""
    session = request.config.stash[_SESSION]
    assert session is not None
    return session


@pytest.fixture
def verdict(jmedethic_session: Session, jmedethic_key: str, request: pytest.FixtureRequest) -> Verdict:
    """The finished evaluation of one benchmark case. The test is run once for every selected case.

    Example::

        def test_last_turn_is_safe(verdict):
            assert verdict.turn_scores[-1] > 5
    """
    from jmedethic_pytest.core.errors import StoppedEarly

    try:
        found = jmedethic_session.verdict(jmedethic_key)
    except StoppedEarly as stop:
        pytest.skip(str(stop))
    request.node.stash[_GIVEN] = found.key
    if _RECORDER in request.config.stash:
        request.config.stash[_RECORDER].note(found)
    if found.status == "not_judged":
        pytest.skip(found.detail)
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


# ---------------------------------------------------------------- reports


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Mark our own outcomes, and show them as one line instead of a traceback through this package."""
    evaluates = item.config.stash.get(_SESSION, None) is not None
    if evaluates and call.excinfo is not None:
        from jmedethic_pytest.pytest_plugin.outcomes import told_from_its_end

        with told_from_its_end(item, call.excinfo):
            report = yield
    else:
        report = yield
    if evaluates and call.excinfo is not None:  # what a unittest.TestCase raised pytest puts there only by now
        _mark_failure(report, call.excinfo, item)
    key = _key(item)
    if key is not None:
        report.jmedethic_key = key  # type: ignore[attr-defined]
    return report


def _mark_failure(report: pytest.TestReport, raised: pytest.ExceptionInfo[BaseException], item: pytest.Item) -> None:
    from jmedethic_pytest.core.errors import KnownFailure
    from jmedethic_pytest.pytest_plugin.outcomes import OURS, outcome_kind

    error = raised.value
    kind = outcome_kind(error, item.stash.get(_GIVEN, None))
    if kind is not None:
        report.jmedethic = kind  # type: ignore[attr-defined]
    if isinstance(error, OURS):
        report.longrepr = raised.getrepr(style="value")
        if error.args and isinstance(error.args[0], Said):
            report.jmedethic_ja = error.args[0].ja  # type: ignore[attr-defined]
    if kind == "floor" and isinstance(error, KnownFailure) and not item.config.option.jmed_strict:
        report.outcome, report.wasxfail = "skipped", str(error)  # as a test marked xfail


def pytest_report_header(config: pytest.Config) -> list[str]:
    """Say what will be evaluated, and that a simulation is one."""
    return _header(config)


def _header(config: pytest.Config) -> list[str]:
    controller = config.stash.get(_CONTROLLER, None)
    if controller is None:
        return []
    from jmedethic_pytest.core.text import visible
    from jmedethic_pytest.run.header import header_lines

    return [visible(interface.shown(line)) for line in header_lines(controller.spec)]


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int | pytest.ExitCode) -> None:
    """Compute the statistics, decide the gate, show its conditions as tests, set the exit status."""
    controller = session.config.stash.get(_CONTROLLER, None)
    if controller is None:
        if hasattr(session.config, "workeroutput"):
            session.config.workeroutput[_MARK] = session.config.stash.get(_WAITING, False)
        return
    from jmedethic_pytest.pytest_plugin.session import crashing_in_one_line

    with crashing_in_one_line():
        _finish(session, controller, int(exitstatus))


def _finish(session: pytest.Session, controller: ControllerSession, exitstatus: int) -> None:
    gc.collect()  # what tests left unclosed is told, as by pytest, but before statistics are loaded, and to be searched
    vetoed = int(session.exitstatus) if session.exitstatus != exitstatus else 0  # by a plugin before us
    session.exitstatus = controller.finish(exitstatus, session.testsfailed) or vetoed
    terminal = session.config.pluginmanager.getplugin("terminalreporter")
    if terminal is not None:
        display.end_the_line(terminal)
    display.show_closing_reports(session, controller)
    if terminal is not None and controller.ending.unmeasured:
        display.leave_out_what_was_given_up(terminal)
    controller.report_to_allure()
    if terminal is not None and exitstatus not in _SUMMED_UP:
        display.print_summary(terminal, controller)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> Generator[None, object, object]:
    """Print the figures and the gate's answer when everything else was said; never any text of a model."""
    controller = config.stash.get(_CONTROLLER, None)
    if controller is None:
        if config.stash.get(_WAITING, False):
            terminalreporter.write_line(interface.shown(say("session.no_model")))
        return (yield)
    try:
        with display.set_aside(terminalreporter, display.sort(terminalreporter, controller.twins)):
            return (yield)
    finally:
        from jmedethic_pytest.pytest_plugin.session import crashing_in_one_line

        with crashing_in_one_line():
            display.print_summary(terminalreporter, controller)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Leave no thread behind, however pytest ended."""
    controller = config.stash.get(_CONTROLLER, None)
    if controller is not None:
        controller.abort()
        controller.draw()  # unless the summary did; there is none without a terminal
    if (unsearched := config.stash.get(_UNSEARCHED, None)) is not None:
        unsearched.close()
    if controller is not None:
        gc.freeze()  # pytest looks for what nobody closed: that was done before the statistics libraries came
