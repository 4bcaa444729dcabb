"""A whole run in one call, for the command line and for programs."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import wait
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

from jmedethic_pytest.cases import packs
from jmedethic_pytest.core.errors import ConfigError, RunAborted, StoppedEarly, StoreError, unknown
from jmedethic_pytest.run import signals
from jmedethic_pytest.run.options import OPTIONS, Settings, parse
from jmedethic_pytest.run.prepare import prepare
from jmedethic_pytest.run.progress import Progress
from jmedethic_pytest.run.running import RunningRun
from jmedethic_pytest.run.spec import RunSpec

if TYPE_CHECKING:
    from jmedethic_pytest.gate.outcome import Outcome

_POLL_SECONDS = 0.25
_NOT_ONE = {
    "dry_run": "evaluate() evaluates. `jmedethic run --dry-run` shows what a run would cost.",
    "adapters": "evaluate() makes one run. Call it for serve='BASE' and each serve='BASE:ADAPTER'.",
}
"""Options that make no run, or several."""

Watcher = Callable[[Progress], None]
Words = str | Sequence[str]
"""One word, several by comma, or a sequence of them."""


class Options(TypedDict, total=False):
    """The options of ``jmedethic run`` by their Python names (docs/reference/options.md); all may be left out."""

    serve: str | Path
    base_url: str
    revision: str
    judges: Words
    attacker: str
    attack_style: str
    max_turns: int
    cases: str | Path
    pack: Words
    suite: Words
    locale: Words
    strategy: Words
    guideline: Words
    sample: int
    seed: int
    shard: str
    repeats: int
    perturb: Words
    turns: int
    concurrency: int
    budget: str | float
    thresholds: str | Path
    baseline: Words
    early: str
    strict: bool
    no_golden: bool
    batch: bool
    cache: str
    report: str
    allure: str
    redact: bool
    shared: bool
    reports: str | Path


class Interrupted(KeyboardInterrupt):
    """Ctrl-C ended the run; what was finished is stored and summed up.

    Args:
        outcome: what is known so far; its gate never passes.
    """

    def __init__(self, outcome: Outcome) -> None:
        super().__init__("interrupted by the user")
        self.outcome = outcome


def evaluate(model: str | None = None, *, progress: Watcher | None = None, **options: Unpack[Options]) -> Outcome:
    """Evaluate a model as ``jmedethic run`` does, and return figures and gate.

    It blocks until the run has ended; from asynchronous code call it with ``asyncio.to_thread``. Relative paths are of
    the working folder. What is finished is stored at once, and the same call again pays only for the rest.

    Args:
        model: ``PROVIDER:NAME``, as ``--model``; left out where a checkpoint is served (``serve=PATH``).
        progress: called some four times a second and at the end, in the calling thread, with where the run stands.
        options: as of the command line, with ``_`` for ``-``: ``sample=40``, ``locale=("ja", "en")``.

    Returns:
        The run, also one whose gate fails or that did not come to its end (budget, dead endpoint): look at
        ``outcome.gate.answer``, which is ``pass`` only for a complete run that passed.

    Raises:
        ConfigError: naming everything that is wrong with options, files and keys; nothing was called then.
        StoreError: if the results cannot be written.
        Interrupted: on Ctrl-C, with the outcome so far.
    """
    raw = _raw(options)
    shown = ", ".join([*([] if model is None else [repr(model)]), *(f"{key}={value!r}" for key, value in raw.items())])
    settings = parse(model, raw, prefix="")
    command = ("python", "-c", f"from jmedethic_pytest import evaluate; evaluate({shown})")
    spec = prepare(Settings(**{**vars(settings), "command": command}), Path.cwd())
    if not spec.cases:
        raise ConfigError(nothing_selected(settings))
    return carry_out(spec, progress)


def nothing_selected(settings: Settings) -> str:
    """Word that no case fits, and where a language is that the chosen pack has not."""
    told = "nothing selected: no case fits suite, locale, strategy and guideline"
    asked = settings.selection
    if settings.cases and asked.pack is None:
        return told
    chosen = asked.pack or packs.JMA
    has = packs.languages(chosen)
    for tag in asked.locales:
        if tag not in has:
            others = ", ".join(f"--pack {name}" for name in packs.names() if tag in packs.languages(name))
            told += f". Pack {chosen} is in {', '.join(has)}; {tag}: {others or 'in no pack, give cases of your own'}"
    return told


def _raw(options: Options) -> dict[str, Any]:
    """Return the options as the command line would give them."""
    allowed = [option.key for option in OPTIONS if option.key not in _NOT_ONE]
    problems = [f"{key}: {why}" for key, why in _NOT_ONE.items() if key in options]
    if problems:
        raise ConfigError(problems)
    unknown_ones = [unknown("option", key, allowed) for key in options if key not in allowed]
    if unknown_ones:
        raise ConfigError(unknown_ones)
    return {key: _word(value) for key, value in options.items() if value is not None}


def _word(value: object) -> object:
    if isinstance(value, str | bool | int | float):
        return value
    return ",".join(map(str, value)) if isinstance(value, Sequence) else str(value)


def carry_out(
    spec: RunSpec,
    watch: Watcher | None = None,
    tell: Callable[[str], None] | None = None,
    show: Callable[[Outcome], None] | None = None,
) -> Outcome:
    """Run everything that was selected, in order.

    Args:
        spec: the run.
        watch: as of :func:`evaluate`; an error of it ends the run.
        tell: told at the first Ctrl-C that conversations in flight may finish; without it nothing is waited for.
        show: given figures and gate as soon as they are known, before tables, plots and page are drawn.

    Raises:
        ConfigError: if the run's folder or the cache cannot be written.
        StoreError: if the results cannot be written.
        Interrupted: on Ctrl-C, with the outcome so far.
    """
    try:
        run = RunningRun(spec)
    except StoreError as error:
        raise ConfigError(str(error)) from None
    try:
        run.plan(list(run.jobs))
        _follow(run, watch)
    except RunAborted:
        return _end(run, show, "aborted")
    except KeyboardInterrupt as stop:
        if tell is not None and not isinstance(stop, signals.Terminated):
            with suppress(KeyboardInterrupt):  # the second one
                tell(signals.farewell(run.running))
                run.finish_running(signals.LAST_SECONDS)
        with signals.undisturbed():  # only the main thread is interrupted
            outcome = _end(run, show, "interrupted by the user")
        raise Interrupted(outcome) from None
    except BaseException as error:
        run.finish(interrupted=f"ended by {type(error).__name__} in the calling program")
        raise
    return _end(run, show)


def _end(run: RunningRun, show: Callable[[Outcome], None] | None, interrupted: str | None = None) -> Outcome:
    outcome = run.finish(interrupted=interrupted)
    if show is not None:
        show(outcome)
    return run.draw(outcome)


def _follow(run: RunningRun, watch: Watcher | None) -> None:
    """Ask for every verdict in order, telling now and then, and at the end, where the run stands."""
    told = 0.0
    for key in run.jobs:
        future = run.complete(key)
        while not future.done():
            if watch is not None and time.monotonic() - told >= _POLL_SECONDS:
                told = time.monotonic()
                watch(run.progress())
            wait([future], timeout=_POLL_SECONDS)
        try:
            future.result()
        except StoppedEarly:
            break
    run.finish_companions()
    if watch is not None:
        watch(run.progress())
