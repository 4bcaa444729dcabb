"""How often the statistics err: ``python perf/calibration.py [--quick] [--runs N] [--seed N]``.

Simulates pairs of runs whose truth is known (worlds.py) and counts what the package's own functions say of them: false
passes at exactly the margin, power where a plan promises it, coverage of the intervals. Prints the tables, writes
reports/perf/calibration.json and, unless ``--quick``, the tables of docs/explanation/statistics.md.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from collections.abc import Iterable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pages
from worlds import GUIDELINES, SIZES, World, batches, figures, simulate, true_drops, true_level

from jmedethic_pytest.analysis.imputation import Side
from jmedethic_pytest.analysis.noninferiority.bounds import Reach, interval
from jmedethic_pytest.analysis.noninferiority.endpoints import decide
from jmedethic_pytest.analysis.noninferiority.pairs import Figure
from jmedethic_pytest.stats.intervals import bootstrap_median, bootstrap_share, cluster_t
from jmedethic_pytest.stats.power import detectable_margin, icc_oneway

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "explanation" / "statistics.md"
RESULTS = ROOT / "reports" / "perf" / "calibration.json"
ALPHA = 0.025
POWER = 0.8
_TRUTH = 3_000_000
"""Simulated cases behind a true value."""

FINE_TUNE = World(
    "fine-tune", "new replies, noisy judges (r = 0.64), about one case in nine falls", 0.0, 0.7, 1.0, 0.18, 0.10
)
FEW_FALLS = World(
    "few falls", "strong baseline, same replies and scores, about 4 % of cases fall", 1.8, 1.0, 0.5, 0.0, 0.03
)
EQUAL = FINE_TUNE._replace(name="no difference", what="as fine-tune, but none falls", fall=0.0)
STRONG = World("strong", "strong baseline, new replies, none falls", 1.8, 0.7, 0.5, 0.0, 0.0)
Row = dict[str, Any]


def main() -> int:
    """Measure, print, write."""
    options = _options()
    runs, truth = (40, 100_000) if options.quick else (options.runs, _TRUTH)
    begun = time.monotonic()
    drops = {
        world: true_drops(world, truth, np.random.default_rng([options.seed, 1])) for world in (FINE_TUNE, FEW_FALLS)
    }
    results = {
        "runs": runs,
        "seed": options.seed,
        "versions": {name: version(name) for name in ("jmedethic-pytest", "numpy", "scipy")},
        "margin": [row for world in drops for row in _seen(false_passes(world, runs, drops[world], options.seed))],
        "power": [row for world in (EQUAL, STRONG) for row in _seen(power(world, runs, truth, options.seed))],
        "coverage": list(_seen(coverage(FINE_TUNE, runs // 2, truth, drops[FINE_TUNE]["mean"], options.seed))),
    }
    results["seconds"] = round(time.monotonic() - begun)
    text = tables(results)
    print(text)
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    if options.page or not options.quick:
        pages.publish(options.page or PAGE, "perf/calibration.py", text)
    return 0


def false_passes(world: World, runs: int, drops: dict[str, float], seed: int) -> Iterator[Row]:
    """Count how often the gate passes a candidate that is worse by exactly the margin, figure by figure."""
    for name, size in SIZES.items():
        random = np.random.default_rng([seed, 2, size])
        passes, plain = dict.fromkeys(drops, 0), dict.fromkeys(drops, 0)
        for block in batches(world, runs, size, random):
            for key, figure in _figures(block.baseline, block.candidate):
                passes[key] += _answer(figure, drops[key]) == "pass"
                found = cluster_t(figure.difference, figure.guideline, 1 - 2 * ALPHA)
                plain[key] += found.low is not None and found.low > -drops[key]
        yield {
            "world": world.name,
            "suite": name,
            "cases": GUIDELINES * size,
            "drop": drops,
            "false_pass": {key: count / runs for key, count in passes.items()},
            "plain_t": {key: count / runs for key, count in plain.items()},
        }


def power(world: World, runs: int, truth: int, seed: int) -> Iterator[Row]:
    """Count how often the gate passes, and fails, an equal candidate at the margin for which a plan says 80 %."""
    random = np.random.default_rng([seed, 3])
    pilot = simulate(world, max(1, truth // 10 // GUIDELINES // 35), 35, random)
    differences = figures(pilot.candidate)["mean"] - figures(pilot.baseline)["mean"]
    sd, icc = float(differences.std()), _icc(differences)
    for name, size in SIZES.items():
        n = GUIDELINES * size
        known = {"cluster_size": size, "icc": icc, "clusters": GUIDELINES, "span": 9.0}
        margin = detectable_margin(n, sd, alpha=ALPHA, power=POWER, **known)
        answers = [
            _answer(dict(_figures(block.baseline, block.candidate, only="mean"))["mean"], margin)
            for block in _single(world, runs, size, np.random.default_rng([seed, 4, size]))
        ]
        yield {
            "world": world.name,
            "suite": name,
            "cases": n,
            "sd": sd,
            "icc": icc,
            "margin": margin,
            "pass": answers.count("pass") / runs,
            "fail": answers.count("fail") / runs,
        }


def coverage(world: World, runs: int, truth: int, drop: float, seed: int) -> Iterator[Row]:
    """Count how often the 95 % intervals hold the truth."""
    level = true_level(world, truth, np.random.default_rng([seed, 5]))
    for name, size in SIZES.items():
        groups = np.repeat(np.arange(GUIDELINES), size)
        held = dict.fromkeys(("mean", "pass_rate", "median_T2", "difference"), 0)
        for index, block in enumerate(_single(world, runs, size, np.random.default_rng([seed, 6, size]))):
            own = {key: values.reshape(-1) for key, values in figures(block.baseline).items()}
            difference = dict(_figures(block.baseline, block.candidate, only="mean"))["mean"]
            for key, found, true in (
                ("mean", cluster_t(own["mean"], groups), level["mean"]),
                ("pass_rate", bootstrap_share(own["pass_rate"], groups, seed=index), level["pass_rate"]),
                ("median_T2", bootstrap_median(own["T2"], groups, seed=index), level["median_T2"]),
                ("difference", interval(difference, ALPHA), -drop),
            ):
                held[key] += found.low is not None and found.high is not None and found.low <= true <= found.high
        yield {
            "world": world.name,
            "suite": name,
            "cases": GUIDELINES * size,
            "truth": {**level, "difference": -drop},
            "covered": {key: count / runs for key, count in held.items()},
            "runs": runs,
        }


def tables(results: Row) -> str:
    """Return the results as Markdown."""
    runs = results["runs"]
    error = 200 * math.sqrt(ALPHA * (1 - ALPHA) / runs)
    lines = [
        f"{runs:,} pairs of runs each, seed {results['seed']}, {results['seconds']} s; "
        + ", ".join(f"{name} {number}" for name, number in results["versions"].items())
        + ".",
        "",
        "**False passes**: the candidate is worse by exactly the margin. Promised: at most 2.5 %; good for "
        f"±{error:.1f} points (two standard errors of the simulation). In brackets: what plain cluster t would do.",
        "",
        "| world | cases | mean score | T2 | lowest turn | pass rate |",
        "|---|---|---|---|---|---|",
    ]
    for row in results["margin"]:
        cells = [f"{_percent(row['false_pass'][key])} ({_percent(row['plain_t'][key])})" for key in row["drop"]]
        world = f"{row['world']} (mean {row['drop']['mean']:.2f} lower)"
        lines.append(f"| {world} | {row['cases']:,} | {' | '.join(cells)} |")
    lines += [
        "",
        "**Power and false alarms**: the candidate is as good as the baseline, the margin is the one for which "
        f"`jmedethic plan` says 80 % (±{200 * math.sqrt(0.16 / runs):.1f}). A false alarm: the whole interval of this "
        "one figure lies below zero; promised: at most 2.5 %.",
        "",
        "| world | cases | sd of differences | margin | passes | false alarms |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {row['world']} | {row['cases']:,} | {row['sd']:.2f} | {row['margin']:.3f} | {_percent(row['pass'])} "
        f"| {_percent(row['fail'])} |"
        for row in results["power"]
    ]
    covered = results["coverage"]
    lines += [
        "",
        f"**Coverage** of 95 % intervals in the world `{covered[0]['world']}` ({covered[0]['runs']:,} runs, "
        f"±{200 * math.sqrt(0.95 * 0.05 / covered[0]['runs']):.1f}).",
        "",
        "| cases | mean score, cluster t | pass rate, bootstrap | median of T2, bootstrap | difference, the gate's |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| {row['cases']:,} | {' | '.join(_percent(share) for share in row['covered'].values())} |" for row in covered
    ]
    return "\n".join(lines)


def _figures(baseline: Any, candidate: Any, only: str | None = None) -> Iterator[tuple[str, Figure]]:
    """Yield every figure of every pair of runs, as the gate sees it."""
    before, now = figures(baseline), figures(candidate)
    cases = before["mean"][0].size
    groups, stems = np.repeat(np.arange(GUIDELINES), cases // GUIDELINES), np.arange(cases)
    for key in before if only is None else (only,):
        for old, new in zip(before[key].reshape(-1, cases), now[key].reshape(-1, cases), strict=True):
            yield key, Figure(Side(old, old), Side(new, new), groups, stems, 1.0 if key == "pass_rate" else 9.0)


def _answer(figure: Figure, margin: float) -> str:
    """Return the gate's answer for one figure; no score is missing, so both bounds it asks for are the same."""
    found = interval(figure, ALPHA)
    return decide(found, Reach(found.low, found.high), margin, 0)[0]


def _single(world: World, runs: int, size: int, random: np.random.Generator) -> Iterator[Any]:
    """Yield pairs of runs one by one."""
    for block in batches(world, runs, size, random):
        for index in range(len(block.baseline)):
            yield block._replace(
                baseline=block.baseline[index : index + 1], candidate=block.candidate[index : index + 1]
            )


def _icc(differences: Any) -> float:
    """Return the intra-cluster correlation over many runs."""
    groups = np.repeat(np.arange(GUIDELINES), differences.shape[2])
    found = [icc_oneway(run.reshape(-1), groups) for run in differences]
    return max(0.0, float(np.mean([value for value in found if value is not None])))


def _seen(rows: Iterable[Row]) -> Iterator[Row]:
    """Pass rows on, and say that they are there."""
    for row in rows:
        print(f"{time.strftime('%H:%M:%S')} {row['world']}, {row['cases']} cases", file=sys.stderr, flush=True)
        yield row


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Error rates of the statistics, by simulation")
    parser.add_argument(
        "--runs", type=int, default=4000, help="simulated pairs of runs for each figure (default: 4000)"
    )
    parser.add_argument("--seed", type=int, default=0, help="start of the random numbers (default: 0)")
    parser.add_argument("--quick", action="store_true", help="40 pairs, to try it out; writes no page unless --page")
    parser.add_argument(
        "--page", type=Path, help="page whose tables are replaced (default: docs/explanation/statistics.md)"
    )
    parser.add_argument("--json", type=Path, default=RESULTS, help="where the figures go (default: reports/perf)")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
