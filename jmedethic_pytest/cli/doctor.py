"""``jmedethic doctor``: everything that is wrong with keys, endpoints, files and models, at once."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from jmedethic_pytest.cases.index import CaseIndex
from jmedethic_pytest.cli import endpoints
from jmedethic_pytest.cli.app import Reports, app, out, spell
from jmedethic_pytest.config import tables as thresholds
from jmedethic_pytest.config.tables import Thresholds
from jmedethic_pytest.core.errors import ConfigError, JmedError
from jmedethic_pytest.core.run_info import Golden
from jmedethic_pytest.core.secrets import public_spec
from jmedethic_pytest.core.status import ExitStatus
from jmedethic_pytest.judging import golden as golden_replies
from jmedethic_pytest.models import ModelRef, registry, resolve, retirement
from jmedethic_pytest.run import preflight, served
from jmedethic_pytest.run.options import Settings
from jmedethic_pytest.run.prepare import panel, third_seat
from jmedethic_pytest.serving.plan import OWN, Plan, plan

T = TypeVar("T")


@app.command("doctor")
def doctor(
    context: typer.Context,
    model: Annotated[str | None, typer.Option("--model", help="Model to check, PROVIDER:NAME")] = None,
    serve: Annotated[
        str | None, typer.Option("--serve", help="Checkpoint to check, PATH[:ADAPTER]; it is started")
    ] = None,
    base_url: Annotated[str | None, typer.Option("--base-url", help="Address of the model's server")] = None,
    judges: Annotated[str | None, typer.Option("--judges", help="Judge profile or models")] = None,
    cases: Annotated[Path | None, typer.Option("--cases", help="Case file or folder")] = None,
    rules_file: Annotated[Path | None, typer.Option("--thresholds", help="Thresholds file")] = None,
    reports: Reports = Path("reports"),
    offline: Annotated[bool, typer.Option("--offline", help="Contact no endpoint")] = False,
    ask: Annotated[
        bool,
        typer.Option("--ask", help="Ask each model one short question too, as a run would"),
    ] = False,
    try_golden: Annotated[
        bool,
        typer.Option("--golden", help="Have each judge score the golden replies, as before a run, in both languages"),
    ] = False,
    thorough: Annotated[
        bool, typer.Option("--thorough", help="As --golden, and the golden replies that no run uses")
    ] = False,
) -> None:
    """Check keys, endpoints, files and retiring models, all at once; nothing is paid without --ask or --golden."""
    report = _Report()
    found = report.check(
        "thresholds", lambda: thresholds.load(rules_file, Path.cwd()), lambda pair: str(pair[1] or "built-in defaults")
    )
    rules = found[0] if found else Thresholds(schema_version=1)
    report.check("cases", lambda: _valid(cases, rules, found[1] if found else None), lambda count: f"{count} valid")
    report.check("reports", lambda: _writable(reports), str)
    for name in registry.guests():
        report.check(f"provider {name}", partial(registry.distribution, name), "of the distribution {}".format)
    refs = _target(report, model, serve, base_url, rules, context, None if offline else reports)
    asked = Settings(model=model or "", judges=judges)
    specs = (
        report.check("panel", lambda: panel(asked, rules), lambda found: ", ".join(map(public_spec, found)) or "none")
        or ()
    )
    judge = partial(resolve, place="judge", role="judge", providers=rules.providers)
    refs += [(report.check("judge", partial(judge, spec), _shown), "judge") for spec in specs]
    if rules.judges.third is not None and specs:
        seated = [ref for ref, seat in refs if ref is not None and seat == "judge"]
        third = partial(third_seat, rules, seated, called=True)
        refs.append((report.check("third judge", third, lambda ref: _shown(ref) if ref else "none"), "judge"))
    for ref, seat in refs:
        if ref is not None:
            _check_model(report, ref, rules.target.max_tokens if seat == "target" else None, offline=offline)
            if ask and not offline and not ref.simulated:
                report.check(f"one question to {ref.label}", partial(endpoints.ask, ref, rules, seat), str)
    if (try_golden or thorough) and not offline:
        seats = [ref for ref, seat in refs if ref is not None and seat == "judge"]
        for which in golden_replies.SETS if thorough else golden_replies.SETS[:1]:
            _golden(report, seats, rules, reports, which)
    if report.failed:
        out.print(f"{report.failed} of {report.done} checks failed", style="bold red")
        raise typer.Exit(ExitStatus.FAIL)
    out.print(f"all {report.done} checks passed", style="bold green")


class _Report:
    """Prints one line per check and counts the failed ones."""

    def __init__(self) -> None:
        self.done = 0
        self.failed = 0

    def check(self, name: str, step: Callable[[], T], shown: Callable[[T], str]) -> T | None:
        """Run a step; print its result or every problem it raises."""
        self.done += 1
        try:
            result = step()
        except JmedError as error:
            self.failed += 1
            for problem in error.problems if isinstance(error, ConfigError) else [str(error)]:
                out.print(f"FAIL  {name}: {spell(problem)}", style="red")
            return None
        out.print(f"ok    {name}: {shown(result)}")
        return result


def _golden(
    report: _Report, judges: Sequence[ModelRef], rules: Thresholds, reports: Path, which: golden_replies.Set
) -> None:
    """Check every judge by its scores of the golden replies of a set."""

    def tried() -> Sequence[Golden]:
        if not judges:
            raise ConfigError("there is no judge that could be asked. Name judges (--judges) with their keys.")
        return preflight.tried(judges, rules, reports, which)

    found = report.check(f"golden replies, {which}", tried, "{0[0].cases} cases a language".format)
    for result in found or ():
        report.check(f"{result.judge} on golden replies, {which}, {result.locale}", partial(_ordered, result), str)


def _ordered(found: Golden) -> str:
    if found.reasons:
        raise ConfigError(list(found.reasons))
    means = ", ".join(f"{kind} {mean:.1f}" for kind, mean in found.means.items() if mean is not None)
    return f"{found.ordered} of {found.cases} in order, {found.flagged} of {found.scored} flagged; means: {means}"


def _target(
    report: _Report,
    model: str | None,
    serve: str | None,
    base_url: str | None,
    rules: Thresholds,
    context: typer.Context,
    reports: Path | None,
) -> list[tuple[ModelRef | None, endpoints.Seat]]:
    """Check the model under test, if one is named: where it is, or that it can be served."""
    given = serve or (model if model and model.startswith(f"{OWN}:") else None)
    if given:
        planned = partial(plan, given, rules.serve, place="--serve", model=model if model != given else None)
        return _served(report, planned, context, reports)
    if not model:
        return []
    target = partial(resolve, model, place="--model", providers=rules.providers, base_url=base_url)
    return [(report.check("target", target, _shown), "target")]


def _served(
    report: _Report, planned: Callable[[], Plan], context: typer.Context, reports: Path | None
) -> list[tuple[ModelRef | None, endpoints.Seat]]:
    """Check that a checkpoint can be served; it is served until the command ends, unless there is no place for logs."""
    found = report.check("checkpoint", planned, lambda item: f"{item.weights.path}, {item.revision}, for {item.engine}")
    if found is None or reports is None:
        return []
    ready = report.check(
        "server", lambda: context.with_resource(served.running(found, reports)), lambda item: f"ready: {item.address}"
    )
    return [] if ready is None else [(ready.ref, "target")]


def _shown(ref: ModelRef) -> str:
    return f"{ref.label} at {ref.address}"


def _valid(cases: Path | None, rules: Thresholds, place: Path | None) -> int:
    """Return how many cases there are, if they are sound and their strategies are all that the thresholds name."""
    index = CaseIndex.read([cases] if cases else None)
    rules.require_strategies(index.vocabulary.strategies, place)
    return len(index)


def _writable(reports: Path) -> Path:
    """Return the folder if a run could be stored there."""
    folder = next(path for path in (reports.absolute(), *reports.absolute().parents) if path.exists())
    if not folder.is_dir():
        raise ConfigError(f"{folder} is a file, not a folder. Give another one (--reports).")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise ConfigError(f"{folder} cannot be written. Give another one (--reports).")
    return reports


def _check_model(report: _Report, ref: ModelRef, reply_tokens: int | None, *, offline: bool) -> None:
    report.check(f"lifetime of {ref.label}", lambda: _lifetime(ref), str)
    if not offline and not ref.simulated and ref.served is None:
        report.check(f"endpoint of {ref.label}", lambda: endpoints.listed(ref, reply_tokens), str)


def _lifetime(ref: ModelRef) -> str:
    """Fail for a model that has ended; name an end that is announced."""
    end = retirement(ref.label)
    if end is None:
        return "no end is known to this version"
    if end.date <= datetime.now(UTC).date().isoformat():
        raise ConfigError(
            f"ended on {end.date} ({end.note}). Choose another model, or another endpoint that serves it."
        )
    return f"ends on {end.date} ({end.note}): plan the change, scores of other judges are not comparable"
