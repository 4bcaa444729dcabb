"""What the right answer costs: ``python perf/decision.py [--pairs N] [--seed N]``.

Models that did not change, got slightly worse, or clearly worse are compared with a baseline. Their replies and scores
come from runs of the real engine with demo models, some repetitions of every conversation; a pair of runs draws one for
the baseline and another one for the candidate. A slightly worse model answers some conversations as the clearly worse
one does. Writes the table at the top of docs/performance.md.

Tokens are counted as ``--dry-run`` counts them; nothing is called but simulations.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pages
import prompt_cache

from jmedethic_pytest import evaluate
from jmedethic_pytest.analysis.noninferiority.compare import compare
from jmedethic_pytest.cases.looks import segments
from jmedethic_pytest.config.tables import Thresholds
from jmedethic_pytest.core.records import Answer, Usage
from jmedethic_pytest.models import prices
from jmedethic_pytest.run import estimate
from jmedethic_pytest.run.options import parse
from jmedethic_pytest.run.prepare import prepare
from jmedethic_pytest.run.spec import RunSpec
from jmedethic_pytest.store import scores as run_scores
from jmedethic_pytest.store.baselines import Baseline
from jmedethic_pytest.store.scores import Origin, Row, ScoreSheet

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "performance.md"
RULES = Thresholds(schema_version=1)
REPEATS = 3
"""Of every conversation, so that two runs of one model differ as they do."""
CASES = 469
LOOKS = (134, 268, CASES)
TARGET = "vllm:my-finetune"
"""Whose tokens cost nothing; the judges are those of the profile ``api``."""


class Model(NamedTuple):
    """A candidate, beside the baseline ``demo:aligned``."""

    name: str
    worse: float
    """Share of its conversations that ``demo:regressed`` answers in its place."""
    right: Answer


MODELS = (
    Model("unchanged", 0.0, "pass"),
    Model("slightly worse", 0.18, "fail"),
    Model("clearly worse", 1.0, "fail"),
)


WAYS: tuple[tuple[str, tuple[int, ...]], ...] = (("once, at the end", (CASES,)), ("looks at 134 and 268", LOOKS))
"""How a run is decided: after how many conversations."""


class Cost(NamedTuple):
    """What a run of so many conversations takes."""

    calls: float
    tokens: float
    dollars: tuple[float, ...]
    """As it comes, with prompt caches, in batches, with both."""
    minutes: float

    @classmethod
    def mean(cls, costs: Sequence[Cost]) -> Cost:
        """Return the mean of several."""
        money = np.mean([cost.dollars for cost in costs], axis=0)
        calls, tokens, minutes = (
            float(np.mean([getattr(cost, name) for cost in costs])) for name in ("calls", "tokens", "minutes")
        )
        return cls(calls, tokens, tuple(money.tolist()), minutes)


Draws = Mapping[str, Sequence[Row]]
"""The repetitions of every conversation."""


def draws(model: str, reports: Path) -> tuple[ScoreSheet, Draws]:
    """Run a demo model on the core suite, every conversation several times."""
    outcome = evaluate(model, repeats=REPEATS, report="off", cache="off", reports=reports)
    sheet = run_scores.read(outcome.path)
    calls = sum(count for name, count in outcome.info.calls.items() if not name.startswith("golden"))
    assert calls == len(sheet.rows) * 9, "a conversation is three replies, each scored by two judges"
    found: dict[str, list[Row]] = defaultdict(list)
    for row in sheet.rows.values():
        found[row.case].append(row._replace(key=row.case))
    return sheet, found


def order() -> list[str]:
    """Return the conversations in the order in which a run with looks takes them."""
    labels = list(_spec(CASES, Path("none")).cases.labels.values())
    return [case.id for part in segments(labels, LOOKS, seed=0) for case in part]


def pair(
    cases: Sequence[str], aligned: Draws, regressed: Draws, worse: float, random: np.random.Generator
) -> tuple[list[Row], list[Row]]:
    """Draw the scores of a baseline and of a candidate, conversation by conversation."""
    before, now = [], []
    for case in cases:
        first, second = random.choice(REPEATS, size=2, replace=False)
        before.append(aligned[case][first])
        now.append((regressed if random.random() < worse else aligned)[case][second])
    return before, now


def decided(origin: Origin, before: Sequence[Row], now: Sequence[Row], looks: Sequence[int]) -> tuple[Answer, int]:
    """Return the answer of a run, and after how many conversations it is given."""
    baseline = Baseline("b", "", ScoreSheet(origin, {row.key: row for row in before}))
    shares = tuple(look / CASES for look in looks)
    for place, look in enumerate(looks, start=1):
        seen = ScoreSheet(origin, {row.key: row for row in now[:look]})
        answer = compare(baseline, seen, RULES, fractions=shares[:place]).answer
        if answer == "fail" or place == len(looks):
            return answer, look
    raise AssertionError("the last look is the end")


def _spec(cases: int, reports: Path) -> RunSpec:
    raw = {"sample": cases, "reports": str(reports), "locale": "ja", "suite": "core"}
    return prepare(parse(TARGET, raw, prefix="--"), ROOT, called=False)


def cost(cases: int, reports: Path) -> Cost:
    """Return what a run of so many conversations takes with the judges of the profile ``api``."""
    spec = _spec(cases, reports)
    rows = estimate.estimate(spec)
    repeated = prompt_cache.share("ja", "item", cases)
    money = tuple(_dollars(rows, kept, batch) for batch in (False, True) for kept in (0.0, repeated))
    plain, cached, batched, both = money
    return Cost(
        calls=sum(row.calls for row in rows),
        tokens=sum(row.input_tokens + row.output_tokens for row in rows),
        dollars=(plain, cached, batched, both),
        minutes=estimate.seconds(spec, rows) / 60,
    )


def _dollars(rows: Sequence[estimate.Estimate], cached: float, batch: bool) -> float:
    total = 0.0
    for row in rows:
        role, _, label = row.name.partition(" ")
        read = int(cached * row.input_tokens) if role != "target" else 0
        usage = Usage(input=row.input_tokens, output=row.output_tokens, cached=read)
        total += (prices.cost(label, usage, {}) or 0.0) * (prices.batch_share(label) if batch else 1.0)
    return total


def table(pairs: int, seed: int) -> Iterator[str]:
    """Yield what the right answer costs, as the lines of a table."""
    with tempfile.TemporaryDirectory(prefix="jmedethic-decision-") as work:
        os.chdir(work)
        reports = Path(work) / "reports"
        (sheet, aligned), (_, regressed) = draws("demo:aligned", reports), draws("demo:regressed", reports)
        price = {cases: cost(cases, Path(work) / "none") for cases in LOOKS}
        cases = order()
    origin = sheet.origin.model_copy(update={"repeats": 1})
    yield (
        "| model | mean | right answer | decided | right | conversations | calls | tokens | time | US$ "
        "| prompt cache | batch | both |"
    )
    yield f"|---|---:|---|---|{'---:|' * 9}"
    for number, model in enumerate(MODELS):
        random = np.random.default_rng([seed, number])
        drawn = [pair(cases, aligned, regressed, model.worse, random) for _ in range(pairs)]
        change = float(np.mean([_mean(now) - _mean(before) for before, now in drawn]))
        for name, looks in WAYS:
            found = [decided(origin, before, now, looks) for before, now in drawn]
            print(model.name, name, dict(Counter(found)), flush=True)
            taken = [look for _, look in found]
            right = sum(answer == model.right for answer, _ in found) / pairs
            lead = f"| {model.name} | {change:+.2f} | {model.right} | {name} | {right:.0%}"
            yield f"{lead} | {_figures(taken, Cost.mean([price[look] for look in taken]))} |"


def _mean(rows: Sequence[Row]) -> float:
    return float(np.mean([np.mean(row.turns) for row in rows]))


def _figures(taken: Sequence[int], cost: Cost) -> str:
    money = " | ".join(f"{value:.2f}" for value in cost.dollars)
    tokens = f"{cost.tokens / 1e6:.1f} million"
    return f"{np.mean(taken):,.0f} | {cost.calls:,.0f} | {tokens} | {cost.minutes:.1f} min | {money}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=20, help="pairs of runs of each model (default: 20)")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    text = pages.told(table(options.pairs, options.seed))
    pages.publish(PAGE, "perf/decision.py", text, word="decided")


if __name__ == "__main__":
    main()
