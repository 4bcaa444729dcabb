"""``jmedethic plan``: how many cases, calls, dollars and minutes a comparison needs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jmedethic_pytest.cases import selection
from jmedethic_pytest.cases.index import CaseIndex
from jmedethic_pytest.cli import named_runs
from jmedethic_pytest.cli.app import AsJson, Reports, app, out, say
from jmedethic_pytest.config import tables as thresholds
from jmedethic_pytest.core.errors import ConfigError, unknown
from jmedethic_pytest.models import ModelRef, resolving
from jmedethic_pytest.reports.terminal import planning
from jmedethic_pytest.run import estimate
from jmedethic_pytest.run.options import MODEL_HELP, Settings, parse
from jmedethic_pytest.run.prepare import panel
from jmedethic_pytest.run.spec import RunSpec

if TYPE_CHECKING:
    from jmedethic_pytest.analysis.planning.tiers import Goal, Plan
    from jmedethic_pytest.analysis.planning.variance import Spread
    from jmedethic_pytest.analysis.planning.whole_gate import WholeGate

_SMALLEST = 1e-6


@app.command("plan")
def plan(
    model: Annotated[str | None, typer.Option("--model", help=f"{MODEL_HELP}; for cost and time")] = None,
    margin: Annotated[float, typer.Option("--margin", help="Largest accepted drop of the mean score, in points")] = 0.3,
    power: Annotated[float, typer.Option("--power", help="Chance that an equally safe model passes")] = 0.8,
    alpha: Annotated[float, typer.Option("--alpha", help="One-sided error rate")] = 0.025,
    true_drop: Annotated[float, typer.Option("--true-drop", help="How much worse the model may really be")] = 0.0,
    sd: Annotated[
        float | None, typer.Option("--sd", help="SD of the paired differences (default: from stored runs, else 2)")
    ] = None,
    icc: Annotated[
        float | None, typer.Option("--icc", help="Their correlation within guidelines (default: likewise, else 0.02)")
    ] = None,
    cases: Annotated[str | None, typer.Option("--cases", help="Case file or folder", metavar="PATH")] = None,
    suite: Annotated[str | None, typer.Option("--suite", help="Suites to choose from", metavar="NAME,...")] = None,
    locale: Annotated[str | None, typer.Option("--locale", help="ja (default), en, or ja,en")] = None,
    seed: Annotated[str | None, typer.Option("--seed", help="Seed of the samples (default: 0)")] = None,
    judges: Annotated[str | None, typer.Option("--judges", help="Judge profile or models")] = None,
    concurrency: Annotated[str | None, typer.Option("--concurrency", help="Conversations in flight")] = None,
    rules: Annotated[str | None, typer.Option("--thresholds", help="Thresholds file", metavar="FILE")] = None,
    achieved: Annotated[
        str | None, typer.Option("--achieved", help="Show how sharp a stored run turned out to be", metavar="RUN")
    ] = None,
    against: Annotated[
        str | None, typer.Option("--against", help="With --achieved: the run to compare it with", metavar="RUN")
    ] = None,
    reports: Reports = Path("reports"),
    as_json: AsJson = False,
) -> None:
    """Plan nested samples for smoke, pull-request, nightly and release runs; nothing is called.

    How much two models differ case by case is taken from the two newest comparable runs, if there are any.
    """
    goal = _goal(margin, power, alpha, true_drop, sd, icc)
    if against and not achieved:
        raise ConfigError("--against goes with --achieved: jmedethic plan --achieved RUN --against RUN.")
    if achieved:
        _achieved(goal, reports, achieved, against, rules, as_json=as_json)
        return
    options = {"cases": cases, "suite": suite, "locale": locale, "seed": seed, "judges": judges}
    options |= {"concurrency": concurrency, "thresholds": rules, "reports": str(reports)}
    settings = parse(model or "", options, prefix="--")
    found = _plan(settings, goal, sd, icc)
    if as_json:
        out.print_json(found.model_dump_json())
        return
    say(planning.plan_lines(found, priced=bool(model)))


def _goal(margin: float, power: float, alpha: float, true_drop: float, sd: float | None, icc: float | None) -> Goal:
    from jmedethic_pytest.analysis.planning.tiers import Goal

    checks = {
        f"--margin: {margin:g}: give more than the true drop and at most 9 points": true_drop < margin <= 9,
        f"--power: {power:g}: give a probability between 0 and 1, e.g. 0.8": 0 < power < 1,
        f"--alpha: {alpha:g}: give a probability between 0 and 0.5, e.g. 0.025": 0 < alpha < 0.5,
        f"--true-drop: {true_drop:g}: give 0 or more": true_drop >= 0,
        f"--sd: {sd}: give more than 0 and at most 9 points": sd is None or _SMALLEST < sd <= 9,
        f"--icc: {icc}: give a correlation from 0 to 1": icc is None or 0 <= icc <= 1,
    }
    problems = [text for text, sound in checks.items() if not sound]
    if problems:
        raise ConfigError(problems)
    return Goal(margin, power, alpha, true_drop)


def _plan(settings: Settings, goal: Goal, sd: float | None, icc: float | None) -> Plan:
    """Make the plan, and price every tier as a run of its sample would be priced."""
    from jmedethic_pytest.analysis.planning import tiers as plans

    rules, rules_path = thresholds.load(settings.thresholds, Path.cwd())
    loaded = CaseIndex.read(settings.cases)
    rules.require_strategies(loaded.vocabulary.strategies, rules_path)
    everything = settings.selection.model_copy(update={"sample": len(loaded)})
    chosen = [
        label
        for label in selection.select(list(loaded.labels.values()), everything, loaded.vocabulary)
        if label.twin_of is None
    ]
    if not chosen:
        raise ConfigError("nothing can be planned: no adversarial case fits --suite and --locale.")
    spread = _spread(settings, sd, icc)
    found = plans.plan(chosen, goal, spread, _whole_gate(settings, rules, spread, goal))
    target = _ref(settings.model, "--model", rules) if settings.model else None
    judges = tuple(_ref(name, "judge", rules) for name in panel(settings, rules))
    stems = list(dict.fromkeys(label.stem for label in chosen))
    tiers = []
    for tier in found.tiers:
        kept = set(stems[: tier.sample])
        part = loaded.choose(label for label in chosen if label.stem in kept)
        calls = sum(label.length for label in part.labels.values()) * (1 + len(judges))
        costs = _costs(RunSpec(settings, rules, rules_path, part, target, judges)) if target else {}
        tiers.append(tier.model_copy(update={"calls": calls, **costs}))
    return found.model_copy(update={"tiers": tuple(tiers)})


def _costs(spec: RunSpec) -> dict[str, Any]:
    """Return cost and time of a run; the cost is unknown if the price of one model is."""
    rows = estimate.estimate(spec)
    known = [row.cost_usd for row in rows if row.cost_usd is not None]
    cost = sum(known) if len(known) == len(rows) else None
    return {"cost_usd": cost, "seconds": estimate.seconds(spec, rows)}


def _ref(spec: str, place: str, rules: thresholds.Thresholds) -> ModelRef:
    """Return a model for its price alone: no key and no address is needed to plan."""
    provider, colon, name = spec.strip().partition(":")
    if not colon or not name:
        raise ConfigError(f"{place}: {spec!r} is not of the form PROVIDER:NAME, e.g. openai:gpt-4.1-mini.")
    known = resolving.names(rules.providers)
    if provider not in known:
        raise ConfigError(unknown(f"{place}: provider", provider, known))
    return ModelRef(provider=provider, name=name.partition("@http")[0], kind=provider)


def _spread(settings: Settings, sd: float | None, icc: float | None) -> Spread:
    """Return what is given; what is not given comes from stored runs, else from the assumptions."""
    from jmedethic_pytest.analysis.planning import variance

    given: dict[str, Any] = {key: value for key, value in (("sd", sd), ("icc", icc)) if value is not None}
    if len(given) == 2:
        return variance.Spread(**given, pairs=0, source="as given")
    found = variance.earlier(settings.reports, simulated=settings.model.startswith("demo:"))
    if given:
        source = f"{found.source}; --{next(iter(given))} as given"
        return found.model_copy(update={**given, "source": source, "icc_assumed": found.icc_assumed and icc is None})
    return found


def _whole_gate(settings: Settings, rules: thresholds.Thresholds, spread: Spread, goal: Goal) -> WholeGate | None:
    """Return what simulates the gate, if there is a stored run to draw from."""
    from jmedethic_pytest.analysis.planning import variance, whole_gate

    stored = variance.measured(settings.reports, simulated=settings.model.startswith("demo:"))
    if stored is None:
        return None
    gate = whole_gate.WholeGate(stored, rules, spread, true_drop=goal.true_drop)
    return gate if gate.enough else None


def _achieved(
    goal: Goal, reports: Path, run: str, against: str | None, rules_file: str | None, *, as_json: bool
) -> None:
    from jmedethic_pytest.analysis import same_table
    from jmedethic_pytest.analysis.planning import precision as sharpness

    chosen = named_runs.read_runs(reports, [run, *([against] if against else [])])
    other = chosen[against] if against else None
    differences = same_table.obstacles(list(chosen.values()), same_cases=False)
    if differences and other is not None:
        raise ConfigError([*differences, "These runs are not comparable. Choose another run (--against)."])
    rules, _ = thresholds.load(Path(rules_file) if rules_file else None, Path.cwd())
    found = sharpness.achieved(chosen[run], goal, other, rules)
    if as_json:
        out.print_json(found.model_dump_json())
        return
    say(planning.achieved_lines(found))
