"""A study of 27 models on paper and in a simulation: ``python perf/scale.py [--runs 20] [--seed 0]``.

Calls, tokens, hours and money by phases, from the assumptions of perf/scale.toml and from tokens as ``--dry-run``
counts them. Then a cluster: shards as the real sharder makes them, a simulated scheduler whose nodes fail, and the real
merger on real shards of which some were broken off as in a simulated run. Writes the tables of
docs/explanation/scale.md; the same seed writes the same. Half a minute of CPU.
"""

from __future__ import annotations

import heapq
import math
import os
import random
import tempfile
import tomllib
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path
from statistics import fmean
from typing import Any, NamedTuple

import pages
import prompt_cache
from workload import write_cases

from jmedethic_pytest import evaluate
from jmedethic_pytest.cases import shards as sharder
from jmedethic_pytest.cases.index import CaseIndex
from jmedethic_pytest.core.records import Usage
from jmedethic_pytest.models import prices
from jmedethic_pytest.run import estimate
from jmedethic_pytest.run.merging import merge
from jmedethic_pytest.run.options import parse
from jmedethic_pytest.run.prepare import prepare

ROOT = Path(__file__).resolve().parents[1]
PAGE = pages.DOCS / "explanation" / "scale.md"
DATA: dict[str, Any] = tomllib.loads((Path(__file__).parent / "scale.toml").read_text(encoding="utf-8"))
CASES = 469
"""Of the bundled suite, on which tokens are counted, and which the real merger merges."""
CONVERSATION_SECONDS = (
    DATA["study"]["turns"] * estimate.ASSUMED_REPLY_TOKENS["target"] / DATA["local_targets"]["output_tokens_per_second"]
)
"""What a conversation takes of a node, of which many are answered at a time."""
IN_FLIGHT_SECONDS = CONVERSATION_SECONDS * DATA["local_targets"]["in_flight"] / 2
"""Half of what a node holds at a time: what a failure costs even where replies are kept."""


# ---------------------------------------------------------------- on paper


class Asked(NamedTuple):
    """What a conversation asks of one model: calls and tokens."""

    calls: float
    given: float
    made: float

    def times(self, number: float) -> Asked:
        """Return what so many conversations ask."""
        return Asked(self.calls * number, self.given * number, self.made * number)


def counted() -> dict[str, Asked]:
    """Return what a conversation asks of the target and of each judge, by role and model, as ``--dry-run`` counts."""
    judges = ",".join(DATA["study"]["judges"])
    raw = {"locale": "ja", "suite": "core", "judges": judges, "no_golden": True, "reports": "none"}
    spec = prepare(parse(DATA["api_targets"]["priced_as"], raw, prefix="--"), ROOT, called=False)
    rows = estimate.estimate(spec)
    return {row.name: Asked(row.calls / CASES, row.input_tokens / CASES, row.output_tokens / CASES) for row in rows}


def phases() -> Iterator[str]:
    """Yield what the study takes, as the lines of a table."""
    study, api, local = DATA["study"], DATA["api_targets"], DATA["local_targets"]
    per = counted()
    number = study["conversations"]
    target = per[f"target {api['priced_as']}"].times(number)
    yield "| phase | calls | tokens in + out | bound by | hours | US$ |"
    yield "|---|---:|---:|---|---:|---:|"
    hours, bound = _hours(target, api)
    cost = _dollars(api["priced_as"], target) * api["models"]
    several = target.times(api["models"])
    yield _row(
        f"replies of {api['models']} models behind interfaces, at once", several, f"{bound} of each", hours, cost
    )
    node_hours = target.made / local["output_tokens_per_second"] / 3600
    several = target.times(local["models"])
    cost = node_hours * local["models"] * local["dollars_per_node_hour"]
    what = f"replies of {local['models']} checkpoints, on a node each"
    yield _row(what, several, f"output of a node; {node_hours * local['models']:,.0f} node hours", node_hours, cost)
    repeated = prompt_cache.share("ja", "item", CASES)
    total = target.calls * study["models"]
    for name in study["judges"]:
        judged = per[f"judge {name}"].times(number * study["models"])
        total += judged.calls
        hours, bound = _hours(judged, DATA["judge_quota"])
        money = [_dollars(name, judged, cached) * share for cached, share in _ways(name, repeated)]
        shown = " / ".join(f"{each:,.0f}" for each in money)
        yield _row(f"scores of `{name}`", judged, bound, hours, shown)
        batches = judged.calls / DATA["batches"]["requests"]
        yield f"| the same in {batches:,.0f} batches | | | one wave | {_wave()} | {money[2]:,.0f} / {money[3]:,.0f} |"
    yield f"| together | {total:,.0f} | | | | |"


def _ways(name: str, repeated: float) -> list[tuple[float, float]]:
    """Return what is read from the prompt cache, and the share of the price: singly, with it, in batches, with both."""
    share = prices.batch_share(name)
    return [(0.0, 1.0), (repeated, 1.0), (0.0, share), (repeated, share)]


def _wave() -> str:
    return f"{DATA['batches']['hours_usual']:g}-{DATA['batches']['hours_most']:g}"


def _hours(asked: Asked, quota: dict[str, Any]) -> tuple[float, str]:
    by_requests = asked.calls / quota["requests_per_minute"] / 60
    by_tokens = (asked.given + asked.made) / quota["tokens_per_minute"] / 60
    return max(by_requests, by_tokens), "requests a minute" if by_requests > by_tokens else "tokens a minute"


def _dollars(name: str, asked: Asked, cached: float = 0.0) -> float:
    usage = Usage(input=int(asked.given), output=int(asked.made), cached=int(cached * asked.given))
    return prices.cost(name, usage, {}) or 0.0


def _row(what: str, asked: Asked, bound: str, hours: float, dollars: float | str) -> str:
    tokens = f"{asked.given / 1e9:,.1f} + {asked.made / 1e9:,.1f} billion"
    money = dollars if isinstance(dollars, str) else f"{dollars:,.0f}"
    return f"| {what} | {asked.calls:,.0f} | {tokens} | {bound} | {hours:,.1f} | {money} |"


# ---------------------------------------------------------------- on a cluster


class Run(NamedTuple):
    """How jobs went over a simulated cluster."""

    makespan: float
    """Seconds until the last one was done."""
    busy: float
    """Node seconds spent, start-ups and lost work among them."""
    lost: float
    """Node seconds of which nothing is left."""
    stops: list[float]
    """For each failure the share of its shard that was done then."""


class Cluster:
    """Nodes that take jobs in their order; a node that fails gives its job back to the front.

    Args:
        work: seconds that each job takes, once the weights are loaded.
        nodes: that take jobs.
        kept: whether replies of a broken job are found again; otherwise it begins anew.
        dice: of this run.
    """

    def __init__(self, work: Sequence[float], nodes: int, dice: random.Random, *, kept: bool) -> None:
        self._work = work
        self._kept = kept
        self._dice = dice
        self._queue = list(range(len(work)))[::-1]
        self._done = [0.0] * len(work)
        self._idle = list(range(nodes))
        self._order = count()
        self._events: list[tuple[float, int, int | None, int | None]] = []
        """When a node is free, or a job is to be done again."""
        self._end = self._busy = self._lost = 0.0
        self._stops: list[float] = []

    def run(self) -> Run:
        """Do all jobs."""
        now = 0.0
        while True:
            while self._queue and self._idle:
                self._start(self._queue.pop(), self._idle.pop(), now)
            if not self._events:
                return Run(self._end, self._busy, self._lost, self._stops)
            now, _, node, job = heapq.heappop(self._events)
            if job is not None:
                self._queue.append(job)
            if node is not None:
                self._idle.append(node)

    def _start(self, job: int, node: int, now: float) -> None:
        local, work = DATA["local_targets"], self._work[job]
        needs = local["start_seconds"] + work - self._done[job]
        alive = self._dice.expovariate(1 / (DATA["cluster"]["hours_between_failures"] * 3600))
        if alive >= needs:
            self._busy += needs
            self._end = max(self._end, now + needs)
            self._at(now + needs, node, None)
            return
        useful = max(0.0, alive - local["start_seconds"])
        saved = max(0.0, useful - IN_FLIGHT_SECONDS) if self._kept else 0.0
        self._busy += alive
        self._lost += alive - saved
        self._done[job] += saved
        self._stops.append((self._done[job] if self._kept else useful) / work)
        self._at(now + alive, None, job)
        self._at(now + alive + DATA["cluster"]["restart_seconds"], node, None)

    def _at(self, when: float, node: int | None, job: int | None) -> None:
        heapq.heappush(self._events, (when, next(self._order), node, job))


def divided(parts: int, index: CaseIndex) -> list[int]:
    """Return how many conversations the real sharder puts into each shard."""
    places = Counter(sharder.assign(list(index.labels.values()), parts).values())
    return [places[part] for part in range(parts)]


def shards_of(nodes: int) -> int:
    """Return into how many shards each checkpoint's run is divided for so many nodes."""
    return math.ceil(nodes * DATA["cluster"]["jobs_per_node"] / DATA["local_targets"]["models"])


def cluster(runs: int, seed: int, index: CaseIndex) -> Iterator[str]:
    """Yield how long all checkpoints take on more and more nodes, as the lines of a table.

    Args:
        runs: simulated runs of each row.
        seed: of the first.
        index: the cases.
    """
    models = DATA["local_targets"]["models"]
    yield (
        "| nodes | shards of a checkpoint | the largest | hours | worst of the runs | failures | lost, replies kept "
        "| lost, begun anew | node hours |"
    )
    yield "|---:|---:|---:|---:|---:|---:|---:|---:|---:|"
    sizes: dict[int, list[int]] = {}
    for nodes in DATA["cluster"]["nodes"]:
        parts = shards_of(nodes)
        sizes[parts] = sizes.get(parts) or divided(parts, index)
        work = [CONVERSATION_SECONDS * size for size in sizes[parts]] * models
        kept, anew = (
            [Cluster(work, nodes, random.Random(f"{seed}-{nodes}-{run}"), kept=way).run() for run in range(runs)]
            for way in (True, False)
        )
        hours = [run.makespan / 3600 for run in kept]
        stops = fmean(len(run.stops) for run in kept)
        yield (
            f"| {nodes} | {parts} | {max(sizes[parts]):,} | {fmean(hours):,.1f} | {max(hours):,.1f} | {stops:.1f} "
            f"| {_share(kept):.1%} | {_share(anew):.1%} | {fmean(run.busy for run in kept) / 3600:,.0f} |"
        )


def _share(runs: Sequence[Run]) -> float:
    return sum(run.lost for run in runs) / sum(run.busy for run in runs)


# ---------------------------------------------------------------- merged


def merged(seed: int, work: Path) -> str:
    """Run real shards, some broken off where simulated nodes failed, and merge them; return what came of it."""
    parts = DATA["cluster"]["merged_shards"]
    days = [12.0 * 3600] * parts  # so long that some nodes fail
    stops = Cluster(days, 8, random.Random(f"{seed}-merged"), kept=True).run().stops
    broken = [stop for stop in stops if 0.02 < stop < 0.98][:parts]
    calls = CASES / parts * 9
    options: dict[str, Any] = {"suite": "core", "locale": "ja", "report": "off", "no_golden": True}
    for number in range(1, parts + 1):
        own = {**options, "shard": f"{number}/{parts}", "reports": work / f"part{number}"}
        if number <= len(broken):
            evaluate("demo:aligned", budget=f"{max(1, round(broken[number - 1] * calls))}calls", **own)
        evaluate("demo:aligned", **own)
    whole = evaluate("demo:aligned", **options, reports=work / "whole")
    found = merge([work / f"part{number}" for number in range(1, parts + 1)], work / "merged", draw=False)
    names = ("summary.json", "gate.json")
    same = all((whole.path / name).read_bytes() == (found.outcome.path / name).read_bytes() for name in names)
    told = "are those of the undivided run, to the byte" if same else "**differ from those of the undivided run**"
    return (
        f"{parts} real shards of {CASES} conversations, {len(broken)} of them broken off on the way and begun again: "
        f"summary and gate of the merged run {told}."
    )


def main() -> None:
    """Compute and simulate everything, and write the page; on fewer conversations only tell the first two tables."""
    parser = pages.parser(__doc__, 20)
    parser.add_argument("--conversations", type=int, default=DATA["study"]["conversations"])
    given = parser.parse_args()
    on_paper = pages.told(phases())
    with tempfile.TemporaryDirectory(prefix="jmedethic-scale-") as folder:
        work = Path(folder)
        index = CaseIndex.read([write_cases(work / "cases.jsonl", given.conversations)])
        on_nodes = pages.told(cluster(given.runs, given.seed, index))
        if given.conversations < DATA["study"]["conversations"]:
            return
        os.chdir(work)
        as_one = pages.told([merged(given.seed, work)])
    pages.publish(PAGE, "perf/scale.py phases", on_paper, word="computed")
    pages.publish(PAGE, "perf/scale.py cluster", on_nodes, word="simulated")
    pages.publish(PAGE, "perf/scale.py merged", as_one, word="merged")


if __name__ == "__main__":
    main()
