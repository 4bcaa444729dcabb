"""What the pytest hooks call: the controller's side (owns the run) and a worker's side (asks for verdicts)."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from jmedethic_pytest.core.errors import CaseError, JmedError, RunAborted, StoreError, ThresholdFailure
from jmedethic_pytest.core.records import Case, Condition, Gate, Verdict
from jmedethic_pytest.core.vocabulary import Vocabulary
from jmedethic_pytest.engine.broker import Broker, BrokerClient
from jmedethic_pytest.pytest_plugin.progress import Ticker
from jmedethic_pytest.reports.allure.policy import Telling, decide
from jmedethic_pytest.run.options import OPTIONS, Settings, parse

if TYPE_CHECKING:
    from concurrent.futures import Future

    from jmedethic_pytest.gate.outcome import Outcome
    from jmedethic_pytest.run.live import Run
    from jmedethic_pytest.run.prepare import Prepared

WORKERINPUT = "jmedethic"
GATE_NODE = "jmedethic::gate"
_POLL_SECONDS = 0.5
_DECIDED = (0, 1, 5, 6, 7)
"""Exit statuses of sessions that came to their end, or were ended here; every other one is kept. With 5, "no tests",
workers died before any test: where tests were planned, that is an incomplete run."""


class Session(Protocol):
    """What fixtures and hooks need, in every process."""

    ids: list[str]
    vocabulary: Vocabulary
    """The words of the run."""
    telling: Telling | None
    """How conversations are told to Allure; ``None`` if no report was asked for."""

    def plan(self, ids: list[str]) -> None:
        """Tell the engine which cases the tests want, in which order."""

    def verdict(self, case_id: str) -> Verdict:
        """Wait for a verdict."""

    def evaluate(self, case: Case) -> Verdict:
        """Evaluate a case of the test's own."""


class WorkerSession:
    """An xdist worker: knows the ids of the cases and the controller's address, and nothing else."""

    def __init__(self, given: dict[str, Any]) -> None:
        self.ids: list[str] = given["ids"]
        self.vocabulary = Vocabulary.of(given["vocabulary"])
        self.telling = Telling.of(given["allure"]) if given["allure"] else None
        self._given = given
        self._client: BrokerClient | None = None

    def _connected(self) -> BrokerClient:
        if self._client is None:
            self._client = BrokerClient(self._given["address"], self._given["authkey"])
        return self._client

    def plan(self, ids: list[str]) -> None:
        """Send the plan; a worker that cannot reach the controller says so in its tests, not here."""
        try:
            self._connected().plan(ids)
        except RunAborted:
            return

    def verdict(self, case_id: str) -> Verdict:
        """Wait for a verdict of the controller's engine."""
        return self._connected().verdict(case_id)

    def evaluate(self, case: Case) -> Verdict:
        """Have the controller's engine evaluate a case."""
        return self._connected().evaluate(case)


class ControllerSession:
    """The process that owns the run: pytest itself, or the xdist controller."""

    def __init__(self, config: pytest.Config, prepared: Prepared) -> None:
        self._config = config
        self.prepared = prepared
        self.vocabulary = prepared.cases.vocabulary
        planned = prepared.plan()
        self.ids = list(planned)
        self.telling: Telling | None = None
        if getattr(config.option, "allure_report_dir", None):
            labels = {key: prepared.cases.labels[job.case_id] for key, job in planned.items()}
            self.telling = decide(prepared.settings.allure, prepared.target.label, labels)
        self.run: Run | None = None
        self.broker: Broker | None = None
        self.outcome: Outcome | None = None
        self.trouble: str | None = None
        """What went wrong at the very end, when results could no longer be written."""
        self.told = False
        """True once the summary is printed."""
        self.idle = False
        """True if tests ran, but none asked for a benchmark conversation: there is nothing the gate could decide."""
        self._forgiven = 0
        """Failed reports whose verdict the gate knows; every other failure, also a plugin's, fails the session."""
        self._reported: set[str] = set()
        self._crashed: dict[str, str] = {}
        """What xdist says of tests whose worker died, by node id; nobody else reports them."""
        self._ended = False
        """True if this session was ended here, because its run was given up."""
        self._stopped = False
        """True if it was ended by anybody else: Ctrl-C, ``pytest.exit`` of the user's."""
        self._ticker = Ticker(config, lambda: self.run.progress_line() if self.run is not None else None)

    # ------------------------------------------------------------------ life

    def start(self, *, distributed: bool) -> None:
        """Start engine and, with workers, the broker; a folder that cannot be written is the user's to mend."""
        from jmedethic_pytest.run.live import Run

        try:
            self.run = Run(self.prepared)
            self.run.start()
        except JmedError as error:
            raise pytest.UsageError(str(error)) from None
        # A polite kill ends the run like Ctrl-C: what is finished is stored and summed up.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        if distributed:
            self.broker = Broker(self.run)
            self._ticker.start()

    def estimate_lines(self) -> list[str]:
        """Return what the run would cost; keywords and marks are not known yet, so all selected cases count."""
        from jmedethic_pytest.run import estimate

        return estimate.lines(self.prepared)

    def worker_input(self) -> dict[str, Any]:
        """Return what a worker needs to know."""
        assert self.broker is not None
        allure = self.telling.plain() if self.telling is not None else None
        return {
            "ids": self.ids,
            "address": self.broker.address,
            "authkey": self.broker.authkey,
            "allure": allure,
            "vocabulary": self.vocabulary.record(self.prepared.cases.labels.values()),
        }

    def finish(self, exitstatus: int, testsfailed: int) -> int:
        """Close the run and return pytest's exit status after the gate had its say.

        Args:
            exitstatus: pytest's own.
            testsfailed: failures pytest has counted, of tests, of collection and of other plugins.
        """
        if self.run is None:
            return exitstatus
        self._ticker.stop()
        if not self.run.runner.planned:
            self.run.discard()
            self.idle = True
            return exitstatus
        undecided = exitstatus not in _DECIDED or (self._stopped and exitstatus != 0)
        try:
            self.outcome = self.run.finish(interrupted=self._interruption(exitstatus, undecided=undecided))
        except JmedError as error:
            self.trouble = str(error)
            return exitstatus if undecided else 6
        finally:
            if self.broker is not None:
                self.broker.close()
        if undecided:
            return exitstatus
        decided = self.outcome.exit_status(strict=self.prepared.settings.strict)
        return int(pytest.ExitCode.TESTS_FAILED) if testsfailed > self._forgiven else decided

    def _interruption(self, exitstatus: int, *, undecided: bool) -> str | None:
        assert self.run is not None
        if undecided:
            return f"pytest ended with status {exitstatus}"
        silent = len(set(self.run.planned) - self._reported)
        return f"{silent} of {len(self.run.planned)} tests never ran" if silent else None

    def abort(self) -> None:
        """Stop the engine without a word, if pytest never came to a proper end."""
        self._ticker.stop()
        if self.run is not None and self.outcome is None:
            self.run.runner.stop()

    # ------------------------------------------------------------------ tests

    def plan(self, ids: list[str]) -> None:
        """Hand the order of the tests to the engine."""
        if self.run is not None:
            self.run.runner.plan(ids)

    def verdict(self, case_id: str) -> Verdict:
        """Wait for a verdict, showing progress meanwhile."""
        assert self.run is not None
        return self._wait(self.run.runner.request(case_id))

    def evaluate(self, case: Case) -> Verdict:
        """Evaluate a case of a test's own."""
        assert self.run is not None
        return self._wait(self.run.evaluate(case))

    def _wait(self, future: Future[Verdict]) -> Verdict:
        while True:
            try:
                return future.result(timeout=_POLL_SECONDS)
            except FutureTimeout:
                with self._uncaptured():
                    self._ticker.tick()

    @contextmanager
    def _uncaptured(self) -> Iterator[None]:
        manager = self._config.pluginmanager.getplugin("capturemanager")
        if manager is None:
            yield
        else:
            with manager.global_and_fixture_disabled():
                yield

    # ------------------------------------------------------------------ reports

    def pytest_keyboard_interrupt(self) -> None:
        """Note that somebody else ended the session: the exit status he gave is not the gate's to change."""
        self._stopped = not self._ended

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Look at a finished test's report; a dead endpoint ends the session with one clear message."""
        kind = getattr(report, "jmedethic", None)
        given_up = self.run is not None and self.run.runner.aborted is not None
        if report.failed and (kind in ("floor", "unscored") or (kind == "aborted" and given_up)):
            self._forgiven += 1
        self._reported.add(getattr(report, "jmedethic_key", ""))
        if report.when not in ("setup", "call", "teardown"):
            self._crashed[report.nodeid] = str(report.longrepr)
        if kind == "aborted" and self.run is not None and given_up:
            self._ended = True
            pytest.exit(f"jmedethic: {self.run.runner.aborted}", returncode=7 if self.run.runner.out_of_budget else 6)

    def report_to_allure(self) -> None:
        """Write what no test writes: results of tests that left none, the gate, the run's own files."""
        gate = self._gate()
        if self.telling is None or self.run is None or gate is None:
            return
        from jmedethic_pytest.reports.allure import overall

        option = self._config.option
        left = [key for key in self.run.planned if key not in self._reported]
        info = self.run.info.model_copy(update={"note": self.trouble}) if self.outcome is None else self.outcome.info
        try:
            overall.finish(
                Path(option.allure_report_dir),
                self.telling,
                self.run.store.path,
                info,
                gate,
                crashed=self._crashed,
                jobs=self.run.jobs,
                left=left,
                patterns=option.allure_link_pattern,
            )
        except StoreError as error:  # costs the report and a note, never the gate's answer
            if self.outcome is not None and self.trouble is None:
                note = f"{info.note}; {error}" if info.note else str(error)
                self.outcome = replace(self.outcome, info=info.model_copy(update={"note": note}))
            else:
                self.trouble = f"{self.trouble} Also: {error}"

    def gate_reports(self) -> list[pytest.TestReport]:
        """Return one report per gate condition, so that terminal and JUnit show them like tests."""
        gate = self._gate()
        return [_gate_report(item.name, item.answer, item.detail) for item in gate.conditions] if gate else []

    def _gate(self) -> Gate | None:
        """Return the gate; where the figures could not be had or written, one that says so and never passes."""
        if self.trouble is None:
            return self.outcome.gate if self.outcome is not None else None
        lost = Condition(name="results", answer="inconclusive", observed=None, limit=None, detail=self.trouble)
        return Gate(answer="inconclusive", conditions=(lost,), reasons=(f"{lost.name}: {lost.detail}",))


def _gate_report(name: str, answer: str, detail: str) -> pytest.TestReport:
    nodeid = f"{GATE_NODE}[{name}]"
    return pytest.TestReport(
        nodeid=nodeid,
        location=("jmedethic", None, nodeid.removeprefix("jmedethic::")),
        keywords={},
        outcome="passed" if answer == "pass" else "failed",
        longrepr=None if answer == "pass" else f"{answer}: {detail}",
        when="call",
    )


class LiveEngine:
    """The ``engine`` fixture: evaluates a case of the test's own with the run's model, judges and thresholds."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def evaluate(self, case: Case) -> Verdict:
        """Evaluate a case and wait for its verdict; it is cached and paid for, but not part of the run's figures."""
        return self._session.evaluate(case)

    async def aevaluate(self, case: Case) -> Verdict:
        """The same for an async test."""
        return await asyncio.to_thread(self._session.evaluate, case)


def open_session(config: pytest.Config) -> Session | None:
    """Return this process's session, ``None`` if no model is to be evaluated.

    Raises:
        pytest.UsageError: naming everything that is wrong with options, files and keys.
    """
    workerinput = getattr(config, "workerinput", None)
    if workerinput is not None:
        given = workerinput.get(WORKERINPUT)
        return WorkerSession(given) if given else None
    if config.option.model is None:
        return None
    from jmedethic_pytest.run.prepare import prepare

    try:
        root = project_root(config)
        return ControllerSession(config, prepare(_settings(config, root), root))
    except JmedError as error:
        raise pytest.UsageError(*getattr(error, "problems", [str(error)])) from None


def project_root(config: pytest.Config) -> Path:
    """Return the user's project: pytest's rootdir if it has a configuration file, else where pytest was started."""
    return config.rootpath if config.inipath is not None else config.invocation_params.dir


def _settings(config: pytest.Config, root: Path) -> Settings:
    raw = {option.key: getattr(config.option, f"jmed_{option.key}") for option in OPTIONS}
    workers = len(getattr(config.option, "tx", None) or [])
    settings = parse(config.option.model, raw, prefix="--jmed-", workers=workers, root=root)
    bounded = bool(config.option.maxfail)
    changes = {
        "command": ("pytest", *config.invocation_params.args),
        "lookahead": settings.concurrency * 2 if bounded else None,
    }
    return Settings(**{**vars(settings), **changes})


def outcome_kind(error: BaseException, verdict: Verdict | None) -> str | None:
    """Return how a test's exception counts for the exit status.

    ``floor`` and ``unscored`` are left to the gate, which knows that verdict; ``aborted`` ends the session. ``None`` is
    anything else, also a case of the test's own: the gate does not know it, so the failure counts by itself.

    Args:
        error: what the test raised.
        verdict: the planned verdict the test was given, if any.
    """
    if isinstance(error, RunAborted):
        return "aborted"
    if isinstance(error, ThresholdFailure | CaseError) and verdict is not None and error.key == verdict.key:
        return "floor" if isinstance(error, ThresholdFailure) else "unscored"
    return None
