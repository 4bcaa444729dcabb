"""What fixtures and hooks talk to in every process: an xdist worker's side, and who opens which."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from jmedethic_pytest.core.errors import JmedError, RunAborted, crash
from jmedethic_pytest.core.records import Case, Verdict
from jmedethic_pytest.core.text import visible
from jmedethic_pytest.core.vocabulary import Vocabulary
from jmedethic_pytest.engine.broker import BrokerClient, VerdictSource
from jmedethic_pytest.reports.allure.policy import Telling
from jmedethic_pytest.run.options import OPTIONS, Settings, parse

if TYPE_CHECKING:
    from jmedethic_pytest.pytest_plugin.controller import ControllerSession
    from jmedethic_pytest.run.spec import RunSpec

WORKERINPUT = "jmedethic"


class Session(VerdictSource, Protocol):
    """This process's side of the run."""

    keys: list[str]
    """Every evaluation of the run, in order: one test each."""
    vocabulary: Vocabulary
    """The words of the run."""
    telling: Telling | None
    """How conversations are told to Allure; ``None`` if no report was asked for."""


class WorkerSession:
    """An xdist worker: knows the keys of the evaluations and the controller's address, and nothing else."""

    def __init__(self, given: dict[str, Any]) -> None:
        self.keys: list[str] = given["keys"]
        self.vocabulary = Vocabulary.of(given["vocabulary"])
        self.telling = Telling.of(given["allure"]) if given["allure"] else None
        self._given = given
        self._client: BrokerClient | None = None

    def _connected(self) -> BrokerClient:
        if self._client is None:
            self._client = BrokerClient(self._given["address"], self._given["authkey"])
        return self._client

    def plan(self, keys: list[str]) -> None:
        """Send the plan; a worker that cannot reach the controller says so in its tests, not here."""
        try:
            self._connected().plan(keys)
        except RunAborted:
            return

    def verdict(self, key: str) -> Verdict:
        """Wait for a verdict of the controller's engine."""
        return self._connected().verdict(key)

    def evaluate(self, case: Case) -> Verdict:
        """Have the controller's engine evaluate a case."""
        return self._connected().evaluate(case)


class LiveEngine:
    """The ``engine`` fixture: evaluates a case of the test's own with the run's model, judges and thresholds."""

    def __init__(self, source: VerdictSource) -> None:
        self._source = source

    def evaluate(self, case: Case) -> Verdict:
        """Evaluate a case and wait for its verdict; it is cached and paid for, but not part of the run's figures."""
        return _judged(self._source.evaluate(case))

    async def aevaluate(self, case: Case) -> Verdict:
        """The same for an async test."""
        return _judged(await asyncio.to_thread(self._source.evaluate, case))


def _judged(verdict: Verdict) -> Verdict:
    """Return a verdict; where nobody was to score it, the test has nothing to look at and is skipped."""
    if verdict.status == "not_judged":
        pytest.skip(verdict.detail)
    return verdict


def open_session(config: pytest.Config) -> WorkerSession | ControllerSession | None:
    """Return this process's session, ``None`` if no model is to be evaluated.

    Raises:
        pytest.UsageError: naming everything that is wrong with options, files and keys.
    """
    workerinput = getattr(config, "workerinput", None)
    if workerinput is not None:
        given = workerinput.get(WORKERINPUT)
        return WorkerSession(given) if given else None
    if config.option.model is None and config.option.jmed_serve is None:
        return None
    from jmedethic_pytest.pytest_plugin.controller import ControllerSession
    from jmedethic_pytest.pytest_plugin.hooks import modify_cases

    with crashing_in_one_line():
        try:
            return ControllerSession(config, modify_cases(config, prepared(config)))
        except JmedError as error:
            raise pytest.UsageError(*map(visible, getattr(error, "problems", [str(error)]))) from None


def prepared(config: pytest.Config) -> RunSpec:
    """Return the run that the options ask for.

    Raises:
        ConfigError: naming everything that is wrong with options, files and keys.
    """
    from jmedethic_pytest.run.prepare import prepare

    root = _project_root(config)
    return prepare(_settings(config, root), root)


@contextmanager
def crashing_in_one_line() -> Iterator[None]:
    """End the session as pytest does after an internal error, with one line in place of its traceback.

    Where a session begins and ends pytest would give that the status of a failed gate.
    """
    try:
        yield
    except (pytest.exit.Exception, pytest.UsageError):
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is
        pytest.exit(f"jmedethic: {visible(crash(error))}", returncode=pytest.ExitCode.INTERNAL_ERROR)


def _project_root(config: pytest.Config) -> Path:
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
