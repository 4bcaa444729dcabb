"""What a run would cost: calls, tokens, money and time, before anything is spent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import accumulate
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

from jmedethic_pytest.attack import prompt as attack_prompt
from jmedethic_pytest.core import branches, languages
from jmedethic_pytest.core.errors import StoreError
from jmedethic_pytest.core.languages import Locale
from jmedethic_pytest.core.records import Case, Usage
from jmedethic_pytest.judging import golden
from jmedethic_pytest.judging import prompt as judge_prompt
from jmedethic_pytest.models import prices
from jmedethic_pytest.reports.wording import duration
from jmedethic_pytest.run import evidence, identity, preflight
from jmedethic_pytest.run.spec import RunSpec
from jmedethic_pytest.store import runs as run_files

"""Rule of thumb for current tokenizers; earlier runs are not consulted for it."""
ASSUMED_REPLY_TOKENS = {"target": 600, "judge": 200, "attacker": 100}
ASSUMED_SECONDS = {"target": 10.0, "judge": 5.0, "attacker": 5.0}
"""Used until an earlier run of the same model is stored."""


class Estimate(NamedTuple):
    """What one model would be asked for."""

    name: str
    calls: int
    input_tokens: int
    output_tokens: int
    cost_usd: float | None
    seconds_per_call: float
    assumed: bool
    """True if reply length and speed are assumptions, not means of an earlier run."""


class _Means(NamedTuple):
    output_tokens: float
    seconds: float
    assumed: bool


def estimate(spec: RunSpec) -> list[Estimate]:
    """Return one estimate per model: the target first, if it is called, then the judges.

    Cached replies are not taken into account, nor how often a third judge will be asked: nobody knows.
    """
    earlier = _earlier(spec.settings.reports)
    target = _means(earlier, "target", spec.target.label)
    rows = [_row(spec, "target", spec.target.label, target, target)] if spec.transcripts is None else []
    if spec.attacker is not None:
        attacker = spec.attacker.label
        rows.append(_row(spec, "attacker", attacker, _means(earlier, "attacker", attacker), target))
    for judge in spec.judges:
        rows.append(_row(spec, "judge", judge.label, _means(earlier, "judge", judge.label), target))
    if not spec.settings.no_golden:
        rows += [_golden(spec, judge.label, _means(earlier, "judge", judge.label)) for judge in spec.all_judges]
    return rows


def lines(spec: RunSpec) -> list[str]:
    """Return the estimate as text, with the time a run would take at its concurrency."""
    rows = estimate(spec)
    shown = [f"DRY RUN: nothing is called. {len(spec.cases)} cases, cached replies not taken into account."]
    for row in rows:
        money = "price unknown" if row.cost_usd is None else f"about ${row.cost_usd:.2f}"
        basis = "assumed reply length" if row.assumed else "reply length of the last run"
        shown.append(
            f"{row.name}: {row.calls} calls, {row.input_tokens} + {row.output_tokens} tokens, {money} ({basis})"
        )
    if spec.transcripts is None and identity.is_looked_at(spec.target, spec.settings, spec.thresholds, spec.serving):
        shown.append(f"{len(evidence.PROBES)} probes of the target, each of {evidence.PROBE_TOKENS} tokens at most")
    if spec.third is not None:
        shown.append(
            f"third {spec.third.label}: asked where the two differ by more than {spec.thresholds.judges.contested:g}; "
            "how often nobody knows before, so it is not counted here"
        )
    if spec.attacker is not None:
        shown.append("with an attacker these are the most: an attack ends at the first turn at or below its floor")
    if spec.settings.batch:
        shown += _of_batches(spec)
    known = [row.cost_usd for row in rows if row.cost_usd is not None]
    if known:
        part = "" if len(known) == len(rows) else " for the models whose price is known"
        shown.append(f"together about ${sum(known):.2f}{part} (prices as of {prices.as_of()} unless overridden)")
    if spec.settings.batch:
        return [*shown, "time: that of the batches, up to a day for each wave and often less than an hour"]
    time = duration(seconds(spec, rows))
    shown.append(f"time about {time} with {spec.settings.concurrency} conversations in flight")
    return shown


def _row(spec: RunSpec, role: str, label: str, own: _Means, target: _Means) -> Estimate:
    calls, given = 0, 0.0
    for case in map(longer, spec.cases.values()):
        times = 3 if spec.settings.perturb and not case.twin_of else 1  # with its companions
        for asked in _inputs(case, spec, role, target.output_tokens):
            calls, given = calls + times, given + times * asked
    made = calls * own.output_tokens
    cost = prices.cost(label, Usage(input=int(given), output=int(made)), spec.thresholds.prices)
    if cost is not None and label in _batched(spec):
        cost *= prices.batch_share(label)
    return Estimate(f"{role} {label}", calls, int(given), int(made), cost, own.seconds, own.assumed)


def _batched(spec: RunSpec) -> list[str]:
    """Return the models whose requests will be handed over in batches."""
    asked = [spec.target, *spec.judges] if spec.transcripts is None else spec.judges
    return [model.label for model in asked if spec.settings.batch and model.takes_batches]


def _of_batches(spec: RunSpec) -> Iterator[str]:
    for label in _batched(spec):
        share = prices.batch_share(label)
        price = f"at {share:.0%} of its price" if share < 1 else "its price there is not known to be lower"
        yield f"{label} in batches: {price}"


def _golden(spec: RunSpec, label: str, own: _Means) -> Estimate:
    """Return what a judge is asked before the run: the golden replies, in the languages of the run."""
    rules, locales = spec.thresholds.judges, preflight.languages(spec)
    asked = [(stem, kind) for locale in locales for stem in golden.stems(locale) for kind in golden.KINDS]
    given = 0.0
    for stem, kind in asked:
        said = stem.said(kind)
        told = judge_prompt.question(stem.case, said, len(said) - 1, rules.context, stem.words, rules.prompt)
        given += sum(len(item.content) for item in told.messages) * languages.of(stem.case.locale).tokens_per_character
    made = int(len(asked) * own.output_tokens)
    cost = prices.cost(label, Usage(input=int(given), output=made), spec.thresholds.prices)
    return Estimate(f"golden {label}", len(asked), int(given), made, cost, own.seconds, own.assumed)


def _inputs(case: Case, spec: RunSpec, role: str, reply_tokens: float) -> Iterator[float]:
    """Yield the input tokens of each call: the history grows from turn to turn, and each role is told a text beside.

    An attack is taken to go to its last turn, with turns as long as the written ones.
    """
    rate = languages.of(case.locale).tokens_per_character
    told, replies = len(_told(role, spec, case.locale)) * rate, int(role == "judge")
    lengths = [len(turn) * rate for turn in case.turns[: spec.settings.selection.turns]]
    written = len(lengths)
    if spec.attacker is not None and case.twin_of is None:
        lengths += [fmean(lengths)] * (spec.settings.max_turns - written)
    for index, history in enumerate(accumulate(lengths)):
        times = int(role != "attacker") if index < written else spec.thresholds.attacker.seeds
        yield from [told + history + reply_tokens * (index + replies)] * times


def _told(role: str, spec: RunSpec, locale: Locale) -> str:
    """Return what a role is told in every call, as far as it is always the same."""
    if role == "judge":
        return judge_prompt.system_prompt(spec.thresholds.judges.prompt, locale)
    return attack_prompt.beginning(locale) if role == "attacker" else ""


def longer(case: Case) -> Case:
    """Return a conversation along the branch with more text: nobody knows yet which one it takes."""
    ways = [branches.along(case, branch) for branch in branches.BRANCHES]
    return max(ways, key=lambda way: sum(map(len, way.turns)))


def seconds(spec: RunSpec, rows: list[Estimate]) -> int:
    """Return the time a run would take at its concurrency."""
    turns = min(spec.longest, spec.settings.selection.turns or spec.longest)
    target, attacker, judge = (
        max((row.seconds_per_call for row in rows if row.name.startswith(roles)), default=0.0)
        for roles in ("target ", "attacker ", ("judge ", "golden "))
    )
    path = target * turns + judge
    if spec.attacker is not None:
        path += (target + attacker + judge) * max(0, spec.settings.max_turns - turns)
    longer = 2 if spec.settings.perturb else 1  # companions come after their original, both at a time
    return int(path * longer * max(1, len(spec.cases) / spec.settings.concurrency))


def _means(earlier: Mapping[str, _Means], role: str, label: str) -> _Means:
    assumed = _Means(ASSUMED_REPLY_TOKENS[role], ASSUMED_SECONDS[role], assumed=True)
    return earlier.get(f"{role} {label}", assumed)


def _earlier(reports: Path) -> dict[str, _Means]:
    """Return the mean reply length and speed of every model, from the newest stored run that called it."""
    found: dict[str, _Means] = {}
    for path in reversed(run_files.runs(reports)[-20:]):
        try:
            info = run_files.read_info(path)
        except StoreError:
            continue
        for name, calls in info.calls.items():
            seconds = info.seconds_per_call.get(name)
            if calls and seconds is not None and name not in found:
                found[name] = _Means(info.tokens[name]["output"] / calls, seconds, assumed=False)
    return found
