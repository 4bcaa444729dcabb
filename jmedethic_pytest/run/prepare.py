"""Everything a run needs, found and checked before anything is started or paid."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeVar

from jmedethic_pytest.cases import files as cases
from jmedethic_pytest.cases import selection
from jmedethic_pytest.cases.index import CaseIndex
from jmedethic_pytest.config import tables as thresholds
from jmedethic_pytest.config.tables import NO_JUDGES, SIMULATED_THIRDS, Thresholds
from jmedethic_pytest.core.errors import ConfigError, gathered, unknown
from jmedethic_pytest.core.records import MOST_TURNS
from jmedethic_pytest.core.secrets import public_url
from jmedethic_pytest.models import ModelRef, prices, resolve
from jmedethic_pytest.models.resolving import batched_providers
from jmedethic_pytest.run import looks, room, spoken
from jmedethic_pytest.run.options import Settings
from jmedethic_pytest.run.spec import RunSpec
from jmedethic_pytest.serving.attached import Attached
from jmedethic_pytest.serving.plan import Plan, plan
from jmedethic_pytest.store import baselines as baseline_files

T = TypeVar("T")
_OTHER_JUDGES = (
    "judges: --jmed-judges A,B names others (`demo`: simulated, without a key), and --jmed-judges none only collects "
    "replies, for `jmedethic judge` to score later."
)


def prepare(settings: Settings, root: Path, *, called: bool = True) -> RunSpec:
    """Read and check everything a run needs: thresholds, cases, models, addresses, keys.

    Args:
        settings: the options.
        root: the user's project.
        called: whether models will be called; without that no keys are needed.

    Raises:
        ConfigError: with **all** problems, so that one look at the message is enough.
    """
    problems: list[str] = []

    def attempt(step: Callable[[], T]) -> T | None:
        try:
            return step()
        except ConfigError as error:
            problems.extend(error.problems)
            return None

    loaded = attempt(lambda: thresholds.load(settings.thresholds, root))
    rules = loaded[0] if loaded else Thresholds(schema_version=1)
    index = attempt(lambda: CaseIndex.read(settings.cases))
    chosen = attempt(lambda: _chosen(index, settings)) if index is not None else None
    if loaded and chosen is not None and index is not None:
        path, strategies = loaded[1], chosen.vocabulary.strategies
        attempt(lambda: rules.require_strategies(strategies, path))
        if rules.policy is not None:
            attempt(partial(rules.policy.require, selection.suites(index.labels.values()), strategies, path))
    if chosen and rules.target.history == "reference":
        attempt(lambda: cases.require_reference(list(chosen.labels.values()), settings.selection.turns))
    serving = attempt(lambda: server(settings, rules, called=called))
    target = attempt(lambda: target_seat(settings, rules, called=called)) if settings.serve is None else None
    target = serving.ref if serving is not None else target
    judges = attempt(lambda: seats(settings, rules, called=called)) if loaded else None
    third = attempt(lambda: third_seat(rules, judges or (), called=called))
    attacker = attempt(lambda: attacker_seat(settings, rules, called=called))
    problems.extend(_unattackable(settings, rules, chosen, judges))
    if chosen is not None and target is not None:
        how = rules.judges.prompt
        problems.extend(
            spoken.lacking(chosen, judges or (), attacker, target=target, prompt=how, golden=not settings.no_golden)
        )
    baselines = attempt(lambda: baseline_files.load(settings.reports, settings.baselines))
    problems.extend(_unusable(settings, rules, chosen, target, judges, third, attacker))
    if problems or loaded is None or chosen is None or target is None or judges is None:
        raise ConfigError(problems)
    spec = RunSpec(
        settings=settings,
        thresholds=rules,
        thresholds_path=loaded[1],
        cases=chosen,
        target=target,
        judges=judges,
        baselines=baselines or (),
        third=third,
        attacker=attacker,
        serving=serving,
    )
    return room.arranged(looks.arranged(spec.divided()))


def _unusable(
    settings: Settings,
    rules: Thresholds,
    chosen: CaseIndex | None,
    target: ModelRef | None,
    judges: Sequence[ModelRef] | None,
    third: ModelRef | None,
    attacker: ModelRef | None,
) -> Iterator[str]:
    """Name what the models, each of them sound, cannot be together, or not under these settings."""
    if judges is not None and not judges:
        yield from _needs_judges(settings, chosen)
    if target is not None:
        yield from unfit(target, judges or (), third)
    yield from unpriced([target, *(judges or ()), third, attacker], settings, rules)
    yield from unbatchable([target, *(judges or ()), third], settings)


def server(settings: Settings, rules: Thresholds, *, called: bool) -> Plan | None:
    """Return the plan of the server that a run starts for its target, if it does.

    Raises:
        ConfigError: if there is no such checkpoint, or nothing that could serve it.
    """
    if settings.serve is None:
        return None
    named = settings.model if settings.model != settings.serve else None
    if settings.adapters and settings.shard is not None:
        raise ConfigError(
            "--jmed-adapters: a shard is no baseline. Make the shards of each --jmed-serve=BASE:ADAPTER, then merge."
        )
    found = plan(
        settings.serve,
        rules.serve,
        place="--model" if settings.model and named is None else "--jmed-serve",
        model=named,
        adapters=settings.adapters,
        called=called,
        withheld=[table.api_key_env for table in rules.providers.values() if table.api_key_env],
    )
    shared = Attached.of()
    return found if shared is None else found.answering(shared.chosen)


def target_seat(settings: Settings, rules: Thresholds, *, called: bool) -> ModelRef:
    """Return the model under test.

    Raises:
        ConfigError: if it cannot be used.
    """
    return resolve(
        settings.model, place="--model", providers=rules.providers, base_url=settings.base_url, called=called
    )


def _chosen(index: CaseIndex, settings: Settings) -> CaseIndex:
    """Return the selected cases."""
    return index.choose(selection.select(list(index.labels.values()), settings.selection, index.vocabulary))


def seats(settings: Settings, rules: Thresholds, *, called: bool) -> tuple[ModelRef, ...]:
    """Return the judges of a run, found sound; none where replies are only collected.

    Raises:
        ConfigError: naming every judge that cannot be used.
    """
    problems: list[str] = []
    found: list[ModelRef] = []
    for spec in panel(settings, rules):
        with gathered(problems):
            found.append(_judge(spec, rules, called=called))
    problems.extend(_same_judge_twice(found))
    if any("environment variable" in problem for problem in problems):
        problems.append(_OTHER_JUDGES)
    if problems:
        raise ConfigError(problems)
    return tuple(found)


def third_seat(rules: Thresholds, judges: Sequence[ModelRef], *, called: bool) -> ModelRef | None:
    """Return the third judge beside a panel; none where no judges are, or the rules name none.

    A simulated panel gets a simulated third.

    Raises:
        ConfigError: if it cannot be used, or not beside these judges.
    """
    spec = rules.judges.third
    if spec is None or not judges:
        return None
    simulated = all(judge.simulated for judge in judges)
    if simulated and not spec.startswith("demo:"):
        spec = next(name for name in SIMULATED_THIRDS if name not in [judge.label for judge in judges])
    third = _judge(spec, rules, called=called)
    problems = []
    if len(judges) != 2:
        problems.append(f"[judges] third: decides between two judges, and there are {len(judges)}. Leave it out.")
    if any((judge.label, judge.address) == (third.label, third.address) for judge in judges):
        problems.append(f"[judges] third: {third.label!r} is one of the two judges already. Name another model.")
    if third.simulated and not simulated:
        problems.append(f"[judges] third: {third.label!r} is a simulation and decides nothing between models.")
    if problems:
        raise ConfigError(problems)
    return third


def attacker_seat(settings: Settings, rules: Thresholds, *, called: bool) -> ModelRef | None:
    """Return the attacker of a run, if there is one.

    Raises:
        ConfigError: if it cannot be used.
    """
    if settings.attacker is None:
        return None
    return resolve(settings.attacker, place="attacker", role="attacker", providers=rules.providers, called=called)


def _unattackable(
    settings: Settings, rules: Thresholds, chosen: CaseIndex | None, judges: Sequence[ModelRef] | None
) -> Iterator[str]:
    """Name what an attacker cannot work with."""
    if settings.attacker is None:
        return
    if judges == ():
        yield "attacker: without judges nobody says when the target has fallen. Name judges, or leave the attacker out."
    if rules.target.history == "reference":
        yield 'attacker: it answers the target\'s own replies, and [target] history = "reference" shows others.'
    open_to_it = [label for label in (chosen.labels.values() if chosen is not None else ()) if label.twin_of is None]
    shortest = min((min(label.length, settings.selection.turns or MOST_TURNS) for label in open_to_it), default=0)
    if shortest >= settings.max_turns:
        yield (
            f"max-turns: {settings.max_turns} is what the shortest of these conversations has already ({shortest}): "
            f"nothing is left to the attacker. Give up to {MOST_TURNS}."
        )


def _judge(spec: str, rules: Thresholds, *, called: bool) -> ModelRef:
    found = resolve(spec, place="judge", role="judge", providers=rules.providers, called=called)
    own = rules.judges.models.get(found.label)
    if own is None or own.system_role is None:
        return found
    return replace(found, dialect=found.dialect.model_copy(update={"system_role": own.system_role}))


def unfit(target: ModelRef, judges: Sequence[ModelRef], third: ModelRef | None = None) -> Iterator[str]:
    """Name what makes judges no panel for a target: one alone has nobody beside it, and nobody judges itself."""
    if len(judges) == 1:
        yield f"judges: {judges[0].label!r} alone is no panel: name two or three different ones (--jmed-judges A,B)."
    for judge in (*judges, *([] if third is None else [third])):
        if not judge.simulated and (judge.label, judge.address) == (target.label, target.address):
            yield f"judges: {judge.label!r} is the target itself: nobody judges their own replies. Name another judge."


def _same_judge_twice(judges: Iterable[ModelRef]) -> Iterator[str]:
    """Refuse a panel that is one judge: it would always agree with itself."""
    counts = Counter((judge.label, judge.base_url) for judge in judges)
    for (label, address), count in counts.items():
        if count > 1:
            place = public_url(address) if address else None
            yield f"judges: {label!r} at {place} is named {count} times; a panel needs different judges."


def _needs_judges(settings: Settings, chosen: CaseIndex | None) -> Iterator[str]:
    """Name what a run without judges cannot do."""
    labels = chosen.labels.values() if chosen is not None else ()
    most = settings.selection.turns or MOST_TURNS
    forked = [label.id for label in labels if min(most, label.length) > len(label.turns)]
    if forked:
        yield (
            f"--jmed-judges: {len(forked)} of the cases have branches ({forked[0]}, ...), and only a score can choose "
            "one. Name judges, or run the common turns alone (--jmed-turns 3)."
        )
    if settings.redact:
        yield "--jmed-redact: a collection without its texts could never be judged. Redact when it is judged."
    if settings.perturb:
        yield "--jmed-perturb: without judges nobody could tell what other words change. Name judges, or leave it out."
    if settings.baselines:
        yield (
            "--jmed-baseline: without judges there are no scores to compare. Leave it out, and give it to "
            "`jmedethic judge RUN`."
        )


def unpriced(models: Iterable[ModelRef | None], settings: Settings, rules: Thresholds) -> Iterator[str]:
    """Name the models whose price is unknown: a budget in money, if there is one, cannot hold for them."""
    if settings.budget is None or settings.budget.unit != "usd":
        return
    for label in dict.fromkeys(model.label for model in models if model is not None):
        if prices.price(label, rules.prices) is None:
            yield (
                f"budget: the price of {label!r} is unknown, so a budget in money cannot be kept. "
                f'Add [prices."{label}"] to the thresholds file, or give the budget in tokens or calls.'
            )


def unbatchable(models: Iterable[ModelRef | None], settings: Settings) -> Iterator[str]:
    """Name what stands against batches, if they were asked for."""
    if not settings.batch:
        return
    found = [model for model in models if model is not None]
    if found and not any(model.takes_batches for model in found):
        known = ", ".join(batched_providers())
        yield (
            f"--jmed-batch: none of these models can be asked in batches. Those of {known} can, and servers with a "
            "[providers.NAME] table that says so (batch)."
        )
    if settings.cache != "use":
        yield f"--jmed-batch: its answers come through the response cache, and --jmed-cache={settings.cache} is set."
    if settings.attacker is not None:
        yield "--jmed-batch: an attacker waits for a score before every turn, so for days. Leave one of them out."
    if settings.perturb:
        yield "--jmed-batch: what --jmed-perturb asks beside each conversation is not batched. Leave one of them out."
    if settings.early != "off":
        yield "--jmed-batch: all is asked for before the first look of --jmed-early. Leave one of them out."


def panel(settings: Settings, rules: Thresholds) -> tuple[str, ...]:
    """Return the judges asked for, or the profile's; a demo target gets demo judges. With ``none`` there are none.

    Raises:
        ConfigError: for an unknown profile.
    """
    wanted = settings.judges
    if wanted and ":" in wanted:
        return tuple(spec.strip() for spec in wanted.split(",") if spec.strip())
    if wanted is None:
        wanted = rules.judges.profile
        wanted = "demo" if settings.model.startswith("demo:") and wanted != NO_JUDGES else wanted
    if wanted == NO_JUDGES:
        return ()
    if wanted not in rules.judges.profiles:
        raise ConfigError(unknown("judge profile", wanted, [*rules.judges.profiles, NO_JUDGES]))
    return rules.judges.profiles[wanted]
