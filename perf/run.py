"""The benchmark: ``make perf``, or ``python perf/run.py [--only NAME] [--scale 0.1]``.

Starts a local fake server (127.0.0.1 only), measures, prints ratios of figures taken in one run, and writes
reports/perf/results.json. A complete run at full scale also replaces the table of docs/performance.md.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
import traceback
from pathlib import Path

import measures
import report
from bench import Bench
from measures import MEASURES
from processes import Clock, MeasureError, Neighbours, SkippedMeasure
from workload import ROOT

_RESULTS = ROOT / "reports" / "perf" / "results.json"
_SERVER_FACTOR = 5
"""The fake server must be able to answer this many times the calls that are asked of it."""


def main() -> int:
    """Measure what was asked for; 1 if a measure could not be taken. A missed target is a figure, not an error."""
    options = _options()
    signal.signal(signal.SIGTERM, _interrupt)
    chosen = _chosen(options.only)
    results = report.Results(machine=report.machine(), options=vars(options))
    failed = False
    with tempfile.TemporaryDirectory(prefix="jmedethic-perf-") as work:
        # Compiled once and kept, as on a user's machine, whatever this shell says; and not in the checkout.
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        os.environ["PYTHONPYCACHEPREFIX"] = str(Path(work) / "bytecode")
        bench = Bench(
            work=Path(work),
            clock=Clock(options.minutes * 60),
            repeats=options.repeats,
            scale=options.scale,
            inspect=options.inspect_python,
            promptfoo=options.promptfoo,
        )
        try:
            print("warming up: bytecode, page cache", flush=True)
            measures.warm_up(bench)
            for name in chosen:
                failed |= not _measure(name, bench, results)
        except KeyboardInterrupt:
            print("interrupted: what is here so far is written", file=sys.stderr)
            failed = True
    _warn_of_server(bench, results)
    results.write_json(_RESULTS)
    print(f"\n{_RESULTS.relative_to(ROOT)} written")
    if options.scale == 1 and not options.only and not failed:
        results.write_page()
        print(f"{report.PAGE.relative_to(ROOT)} written")
    if options.scale != 1:
        print("SCALED: the targets are meant for the full number of conversations")
    if results.provisional:
        print("PROVISIONAL: other work used the machine; repeat on a quiet one before you conclude anything")
    return int(failed)


def _interrupt(_number: int, _frame: object) -> None:
    """End as with Ctrl-C: whatever was started is stopped, and the temporary folder removed."""
    raise KeyboardInterrupt


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Benchmark of jmedethic-pytest against a local fake server")
    parser.add_argument("--only", action="append", choices=MEASURES, metavar="NAME", help=", ".join(MEASURES))
    parser.add_argument("--repeats", type=int, default=3, help="samples of each figure (default: 3)")
    parser.add_argument("--scale", type=float, default=1.0, help="factor on the number of conversations, to try it out")
    parser.add_argument("--minutes", type=float, default=60, help="stop after this time (default: 60)")
    parser.add_argument("--inspect-python", metavar="PATH", help="a Python that has inspect_ai (default: this one)")
    parser.add_argument("--promptfoo", metavar="PATH", help="promptfoo's command (default: the one on the PATH)")
    return parser.parse_args()


def _chosen(only: list[str] | None) -> list[str]:
    """Return the measures in their order; what depends on the fake server comes with its capacity."""
    if only is None:
        return list(MEASURES)
    wanted = {*only, *(["capacity"] if measures.ON_SERVER & set(only) else [])}
    return [name for name in MEASURES if name in wanted]


def _measure(name: str, bench: Bench, results: report.Results) -> bool:
    """Take one measure and print it; false if it could not be taken."""
    print(f"\n{name}: {(MEASURES[name].__doc__ or '').splitlines()[0]}", flush=True)
    neighbours = Neighbours()
    try:
        rows = MEASURES[name](bench)
    except SkippedMeasure as reason:
        results.skipped[name] = str(reason)
        print(f"  skipped: {reason}")
        return True
    except MeasureError as error:
        results.skipped[name] = "it failed"
        print(f"  FAILED: {error}")
        return False
    except Exception:  # noqa: BLE001 - one broken measure must not cost the others
        results.skipped[name] = "it failed"
        traceback.print_exc()
        return False
    results.others[name] = round(neighbours.share(), 3)
    results.rows.extend(rows)
    for row in rows:
        print(row.line())
    print(f"  others used {results.others[name]:.0%} of the machine meanwhile", flush=True)
    return True


def _warn_of_server(bench: Bench, results: report.Results) -> None:
    if not bench.capacity or not bench.asked:
        return
    factor = bench.capacity / bench.asked
    detail = f"CPU for {bench.capacity:,.0f} calls/s, at most {bench.asked:,.0f} asked by a measure"
    row = report.Row("server", "fake server: capacity / load", factor, at_least=_SERVER_FACTOR, detail=detail)
    results.rows.append(row)
    print(f"\nserver\n{row.line()}")
    if not row.met:
        print(f"  WARNING: less than {_SERVER_FACTOR}: the fake server may be part of what was measured")


if __name__ == "__main__":
    sys.exit(main())
