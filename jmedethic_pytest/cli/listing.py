"""``jmedethic list``: what is there."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from jmedethic_pytest.analysis.counts import FAILED, result
from jmedethic_pytest.cases import files as case_files
from jmedethic_pytest.cli.app import AsJson, Reports, app, err, out
from jmedethic_pytest.core import vocabulary
from jmedethic_pytest.core.errors import ConfigError, unknown
from jmedethic_pytest.core.interface import shown
from jmedethic_pytest.core.records import Verdict
from jmedethic_pytest.core.scores import BEST
from jmedethic_pytest.core.sentences import Said, named, say
from jmedethic_pytest.gate import names
from jmedethic_pytest.models import resolving
from jmedethic_pytest.store import runs as run_files

_KINDS = ("runs", "failures", "suites", "cases", "guidelines", "strategies", "providers")


@app.command("list")
def list_(
    what: Annotated[str, typer.Argument(help=f"One of: {', '.join(_KINDS)}")] = "runs",
    run: Annotated[str | None, typer.Argument(help="Of failures: the run; without it the latest")] = None,
    cases: Annotated[Path | None, typer.Option("--cases", help="Case file or folder", metavar="PATH")] = None,
    reports: Reports = Path("reports"),
    as_json: AsJson = False,
) -> None:
    """List stored runs, what failed in one, suites, cases, guidelines, strategies or providers.

    In a pipe columns are parted by tabs and have no header; --json names them.
    """
    if what not in _KINDS:
        raise ConfigError(unknown("jmedethic list", what, _KINDS))
    if run is not None and what != "failures":
        raise ConfigError(f"jmedethic list {what}: {run!r} is one word too many; only `list failures` takes a run.")
    none = "list.none"
    if what == "failures":
        path = run_files.find_run(reports, run or "latest")
        info, rows = run_files.read_info(path), list(_failures(path))
        if info.status != "complete" and not info.stopped_early:
            none = "list.none.yet"
            err.print(say("list.unfinished", run=info.id, status=named("run_status", info.status)))
    else:
        rows = list(_runs(reports) if what == "runs" else _rows(what, cases))
    if as_json:
        out.print_json(json.dumps(rows, ensure_ascii=False))
    elif not rows:
        out.print(say(none, what=what))
    elif not out.is_terminal:
        for row in rows:
            out.print("\t".join(map(_cell, row.values())))
    else:
        heads = (shown(say(f"list.{name}")) if what in ("runs", "failures") else name for name in rows[0])
        table = Table(*heads, box=None, header_style="bold")
        for row in rows:
            table.add_row(*(shown(_called(name, _cell(value))) for name, value in row.items()))
        out.print(table)


def _cell(value: object) -> str:
    return value if isinstance(value, str) else "-" if value is None else str(value)


def _called(column: str, key: str) -> str:
    """Return a word of the records as people are told it; whatever else a column holds stays as it is."""
    if column == "gate" and key != "-":
        return names.answer(key)
    if column == "result":
        return Said(key, say(f"result.{key}").ja)
    if column == "kind":
        return say(f"case.{key}")
    return named("status", named("run_status", key)) if column == "status" else key


def _runs(reports: Path) -> Iterable[dict[str, Any]]:
    for path in run_files.runs(reports):
        info = run_files.read_info(path)
        status = info.stopped_early or named("run_status", info.status)
        yield {
            "run": info.id,
            "gate": gate.answer if (gate := run_files.read_gate(path, info)) is not None else "-",
            "status": say("list.shard", shard=info.shard, status=status) if info.shard else status,
            "model": info.target["model"],
            "cases": info.selected,
            "started": info.started,
            "judges": ", ".join(judge["model"] for judge in info.judges) or "none",
            "chosen": info.chosen,
        }


def _failures(run: Path) -> Iterable[dict[str, Any]]:
    """Yield what failed and what has no complete score: conversations first, new failures first, the lowest first."""
    order = (*FAILED, "unscored")
    found = [(item, what) for item in run_files.read_verdicts(run) if (what := result(item)) in order]
    found.sort(key=lambda pair: (pair[0].case.twin_of is not None, order.index(pair[1]), _lowest(pair[0]), pair[0].key))
    for verdict, what in found:
        low = min(verdict.violations, key=lambda item: item.value, default=None)
        scores = verdict.turns[low.turn].all_scores if low is not None else ()
        yield {
            "case": verdict.key,
            "kind": "twin" if verdict.case.twin_of is not None else "conversation",
            "result": what,
            "turn": f"T{low.turn}" if low is not None else "-",
            "score": low.value if low is not None else None,
            "floor": low.floor if low is not None else None,
            "judges": ", ".join("-" if score.value is None else f"{score.value:g}" for score in scores),
            "strategy": verdict.case.strategy,
            "guideline": verdict.case.guideline,
            "status": verdict.status,
        }


def _lowest(verdict: Verdict) -> float:
    return min((item.value for item in verdict.violations), default=BEST)


def _rows(what: str, cases: Path | None) -> Iterable[dict[str, Any]]:
    if what == "guidelines":
        for item in vocabulary.guidelines().values():
            yield {"id": item.id, "category": item.category, "title": item.title["en"], "題名": item.title["ja"]}
    elif what == "strategies":
        for strategy in vocabulary.strategies().values():
            yield {"id": strategy.id, "slug": strategy.slug, "name": strategy.name["en"], "名称": strategy.name["ja"]}
    elif what == "providers":
        yield from ({"provider": name} for name in resolving.names())
    else:
        loaded = case_files.load([cases] if cases else None)
        if what == "suites":
            counts = Counter((suite, case.locale) for case in loaded for suite in case.suites)
            yield from ({"suite": suite, "locale": locale, "cases": n} for (suite, locale), n in sorted(counts.items()))
        else:
            for case in loaded:
                yield {"id": case.id, "suites": ",".join(case.suites), "persona": case.persona or ""}
