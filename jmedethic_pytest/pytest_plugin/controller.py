"""The process that owns the run: pytest itself, or the xdist controller."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from jmedethic_pytest.core.errors import JmedError, StoreError, crash
from jmedethic_pytest.core.interface import shown
from jmedethic_pytest.core.records import Case, Verdict
from jmedethic_pytest.core.sentences import say
from jmedethic_pytest.core.status import ExitStatus
from jmedethic_pytest.core.text import visible
from jmedethic_pytest.engine.broker import Broker
from jmedethic_pytest.pytest_plugin.ending import Ending, synthetic_report
from jmedethic_pytest.pytest_plugin.hooks import VerdictTeller
from jmedethic_pytest.pytest_plugin.outcomes import SeenReports
from jmedethic_pytest.pytest_plugin.progress import Ticker
from jmedethic_pytest.pytest_plugin.session import crashing_in_one_line
from jmedethic_pytest.reports.allure.policy import Telling, decide
from jmedethic_pytest.run import estimate, signals
from jmedethic_pytest.run.running import RunningRun

if TYPE_CHECKING:
    from concurrent.futures import Future

    from jmedethic_pytest.run.spec import RunSpec

_POLL_SECONDS = 0.5
_DECIDED = set(ExitStatus) - {ExitStatus.INTERRUPTED, ExitStatus.USAGE}
"""Exit statuses of sessions that came to their end, or were ended here; every other one is kept. With 5, "no tests",
workers died before any test: where tests were planned, that is an incomplete run."""


class Phase(enum.Enum):
    """The life of a session's run."""

    PREPARED = "checked, and nothing started"
    RUNNING = "the engine runs"
    GIVEN_UP = "the session was ended here, because its run was given up"
    STOPPED = "the session was ended by somebody else: Ctrl-C, a pytest.exit of the user's"
    ENDED = "figures and gate are there, or known to be missing"
    TOLD = "the summary is printed"


class ControllerSession:
    """Owns the run, from the checked input to the exit status.

    Args:
        config: pytest's.
        spec: what the run is asked to do.
    """

    def __init__(self, config: pytest.Config, spec: RunSpec) -> None:
        self._config = config
        self.spec = spec
        self.vocabulary = spec.cases.vocabulary
        planned = spec.plan()
        self.keys = list(planned)
        self.twins = {key for key, job in planned.items() if spec.cases.labels[job.case_id].twin_of is not None}
        """Keys of the evaluations of benign twins."""
        self.telling: Telling | None = None
        if getattr(config.option, "allure_report_dir", None):
            labels = {key: spec.cases.labels[job.case_id] for key, job in planned.items()}
            floors = spec.thresholds.conversation.model_dump(mode="json")
            self.telling = decide(spec.settings.allure, spec.target.label, labels, floors)
        self.phase = Phase.PREPARED
        self.ending = Ending()
        self._drawn = False
        self._run: RunningRun | None = None
        self._broker: Broker | None = None
        self._seen = SeenReports()
        self._teller = VerdictTeller(config)
        self._ticker = Ticker(config, self._progress_line)
        self._undisturbed = ExitStack()

    # ------------------------------------------------------------------ life

    def start(self, *, distributed: bool) -> None:
        """Start engine and, with workers, the broker; a folder that cannot be written is the user's to mend."""
        terminal, plan = self._config.pluginmanager.getplugin("terminalreporter"), self.spec.serving
        if plan is not None and terminal is not None:
            seconds = f"{plan.table.ready_seconds:g}"
            terminal.write_line(shown(say("serving.wait", engine=plan.engine, model=plan.model, seconds=seconds)))
        with crashing_in_one_line():
            try:
                self._run = RunningRun(self.spec, on_stored=self._teller.note)
            except JmedError as error:
                raise pytest.UsageError(visible(str(error))) from None
        self.phase = Phase.RUNNING
        signals.stop_on_sigterm()
        signals.show_on_sigusr1(self._ticker.ask)
        if distributed:
            self._broker = Broker(self._run)
            self._ticker.start()

    def estimate_lines(self) -> list[str]:
        """Return what the run would cost; keywords and marks are not known yet, so all selected cases count."""
        return estimate.lines(self.spec)

    def worker_input(self) -> dict[str, Any]:
        """Return what a worker needs to know."""
        assert self._broker is not None
        return {
            "keys": self.keys,
            "address": self._broker.address,
            "authkey": self._broker.authkey,
            "allure": self.telling.plain() if self.telling is not None else None,
            "vocabulary": self.vocabulary.record(self.spec.cases.labels.values()),
        }

    def finish(self, exitstatus: int, testsfailed: int) -> int:
        """Close the run and return pytest's exit status after the gate had its say.

        Args:
            exitstatus: pytest's own.
            testsfailed: failures pytest has counted, of tests, of collection and of other plugins.
        """
        self._ticker.stop()
        run, stopped = self._run, self.phase is Phase.STOPPED
        self.phase = Phase.ENDED
        if run is None or not run.planned:
            if run is not None:
                run.discard()
            # With a model 0 means a gate that passed; what decides nothing must not look like one.
            return ExitStatus.INCONCLUSIVE if exitstatus == ExitStatus.PASS else exitstatus
        undecided = exitstatus not in _DECIDED or (stopped and exitstatus != 0)
        try:
            why = f"pytest ended with status {exitstatus}" if undecided else self._silence(run)
            if why is None:
                with suppress(KeyboardInterrupt):  # then they are missing, and the gate says so
                    run.finish_companions()
            run.stop()
            self._teller.tell(run.recall, over=True)
            outcome = run.finish(interrupted=why)
        except Exception as error:  # noqa: BLE001 - a crash must look like neither answer of the gate
            self.ending = Ending(trouble=str(error) if isinstance(error, JmedError) else crash(error))
            return exitstatus if undecided else ExitStatus.INCONCLUSIVE
        finally:
            if self._broker is not None:
                self._broker.close()
        self.ending = Ending(outcome)
        if undecided:
            return exitstatus
        failed = testsfailed > self._seen.forgiven or self._teller.trouble is not None
        return int(pytest.ExitCode.TESTS_FAILED) if failed else outcome.exit_status(strict=self.spec.settings.strict)

    def _silence(self, run: RunningRun) -> str | None:
        """Return how many tests should have run and did not report, if any."""
        silent = len(set(run.planned) - self._seen.keys)
        return f"{silent} of {len(run.planned)} tests never ran" if silent else None

    def abort(self) -> None:
        """Stop the engine without a word, if pytest never came to a proper end."""
        self._ticker.stop()
        if self._run is not None:
            with suppress(JmedError):
                self._run.stop()
        self._undisturbed.close()

    # ------------------------------------------------------------------ tests

    def plan(self, keys: list[str]) -> None:
        """Hand the order of the tests to the engine."""
        if self._run is not None:
            self._run.plan(keys)

    def verdict(self, key: str) -> Verdict:
        """Wait for a verdict, showing progress meanwhile."""
        assert self._run is not None
        return self._wait(self._run.request(key))

    def evaluate(self, case: Case) -> Verdict:
        """Evaluate a case of a test's own."""
        assert self._run is not None
        return self._wait(self._run.request_own(case))

    def _wait(self, future: Future[Verdict]) -> Verdict:
        while True:
            try:
                return future.result(timeout=_POLL_SECONDS)
            except FutureTimeout:
                with self._uncaptured():
                    self._ticker.tick()

    def _progress_line(self) -> str | None:
        return shown(self._run.progress().line()) if self._run is not None else None

    @contextmanager
    def _uncaptured(self) -> Iterator[None]:
        manager = self._config.pluginmanager.getplugin("capturemanager")
        if manager is None:
            yield
        else:
            with manager.global_and_fixture_disabled():
                yield

    # ------------------------------------------------------------------ reports

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Note that somebody else ended the session: the exit status he gave is not the gate's to change."""
        if self.phase is Phase.RUNNING:
            self.phase = Phase.STOPPED
            if type(excinfo.value) is KeyboardInterrupt:
                self._finish_running()
            self._undisturbed.enter_context(signals.undisturbed())

    def _finish_running(self) -> None:
        """Let conversations in flight finish, unless there is a second Ctrl-C."""
        run, terminal = self._run, self._config.pluginmanager.getplugin("terminalreporter")
        if run is None or not run.running:
            return
        with suppress(KeyboardInterrupt):
            if terminal is not None:
                terminal.ensure_newline()
                terminal.write_line(shown(signals.farewell(run.running)))
            run.finish_running(signals.LAST_SECONDS)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Look at a finished test's report; a dead endpoint ends the session with one clear message."""
        run = self._run
        aborted = self._seen.add(report, given_up=run is not None and run.aborted is not None)
        if run is not None and self.phase is Phase.RUNNING:
            self._teller.tell(run.recall)
        if run is not None and aborted:
            self.phase = Phase.GIVEN_UP
            status = ExitStatus.BUDGET if run.out_of_budget else ExitStatus.INCONCLUSIVE
            why = "the run was given up" if run.progress().done == 0 else run.aborted
            pytest.exit(visible(f"jmedethic: {why}"), returncode=status)

    def report_to_allure(self) -> None:
        """Write what no test writes: results of tests that left none, the gate, the run's own files."""
        run, gate, option = self._run, self.ending.gate, self._config.option
        if self.telling is None or run is None or gate is None:
            return
        from jmedethic_pytest.reports.allure import overall

        self.draw()  # the plots are attached
        outcome = self.ending.outcome
        info = outcome.info if outcome is not None else run.info.model_copy(update={"note": self.ending.trouble})
        try:
            overall.finish(
                Path(option.allure_report_dir),
                self.telling,
                run.path,
                info,
                gate,
                crashed=self._seen.crashed,
                jobs=run.jobs,
                left=[key for key in run.planned if key not in self._seen.keys],
                patterns=option.allure_link_pattern,
            )
        except StoreError as error:
            self.ending = self.ending.with_report_lost(error)

    def tell(self, environment: Mapping[str, str], failures: Iterable[str]) -> list[str]:
        """Return the lines of the summary, once; none before the end.

        Args:
            environment: where CI systems say that they are there.
            failures: what failed, a line each.
        """
        if self.phase is not Phase.ENDED:
            return []
        self.phase = Phase.TOLD
        return self.ending.lines(environment, failures)

    def draw(self) -> list[str]:
        """Write what people look at, once; return what is to be told of it."""
        run, told = self._run, self.ending.outcome
        if run is None or told is None or self._drawn:
            return []
        from jmedethic_pytest.reports.terminal.summary import drawn_lines

        self._drawn = True
        drawn = run.draw(told)
        self.ending = replace(self.ending, outcome=drawn)
        return drawn_lines(told, drawn)

    def closing_reports(self) -> list[pytest.TestReport]:
        """Return what is shown like tests at the end: the gate's conditions, and a hook that failed."""
        trouble = self._teller.trouble
        failed = [synthetic_report("jmedethic::pytest_jmed_verdict", trouble)] if trouble is not None else []
        return [*self.ending.gate_reports(), *failed]
