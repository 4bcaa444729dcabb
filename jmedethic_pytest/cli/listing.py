"""``jmedethic list``: what is there."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from jmedethic_pytest.cases import files as case_files
from jmedethic_pytest.cli.app import AsJson, Reports, app, out
from jmedethic_pytest.core import vocabulary
from jmedethic_pytest.core.errors import ConfigError, unknown
from jmedethic_pytest.models import resolving
from jmedethic_pytest.store import runs as run_files

_KINDS = ("runs", "suites", "cases", "guidelines", "strategies", "providers")


@app.command("list")
def list_(
    what: Annotated[str, typer.Argument(help=f"One of: {', '.join(_KINDS)}")] = "runs",
    cases: Annotated[Path | None, typer.Option("--cases", help="Case file or folder", metavar="PATH")] = None,
    reports: Reports = Path("reports"),
    as_json: AsJson = False,
) -> None:
    """List stored runs, suites, cases, guidelines, strategies or providers."""
    if what not in _KINDS:
        raise ConfigError(unknown("jmedethic list", what, _KINDS))
    rows = list(_runs(reports) if what == "runs" else _rows(what, cases))
    if as_json:
        out.print_json(json.dumps(rows, ensure_ascii=False))
    elif not rows:
        out.print(f"no {what}")
    elif not out.is_terminal:
        for row in rows:
            out.print("\t".join(str(value) for value in row.values()))
    else:
        table = Table(*rows[0], box=None, header_style="bold")
        for row in rows:
            table.add_row(*(str(value) for value in row.values()))
        out.print(table)


def _runs(reports: Path) -> Iterable[dict[str, Any]]:
    for path in run_files.runs(reports):
        info = run_files.read_info(path)
        yield {
            "run": info.id,
            "status": (f"shard {info.shard}, " if info.shard else "") + (info.stopped_early or info.status),
            "model": info.target["model"],
            "cases": info.selected,
            "started": info.started,
            "judges": ", ".join(judge["model"] for judge in info.judges) or "none",
        }


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
