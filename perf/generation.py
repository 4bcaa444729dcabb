"""Building a benchmark at full scale, by simulation: ``python perf/generation.py [--guidelines 17,34,67] [--kills 3]``.

Runs the whole chain with the scripted models at several sizes, each in a process of its own, and prints time, CPU and
peak memory of every stage; then kills the largest chain with SIGKILL at random moments, resumes it, and compares the
digests. Writes reports/perf/generation.json. The replies cost nothing and take no time: what is measured is this tool.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from jmedethic_pytest.core.vocabulary import guidelines
from jmedethic_pytest.generation import chain
from jmedethic_pytest.generation.machinery import config as configs
from jmedethic_pytest.generation.machinery import files

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "reports" / "perf" / "generation.json"
MOST_SECONDS = 900.0
MOST_MIB = 500.0
_POLL = 0.02


class Cost(NamedTuple):
    """What one command cost."""

    wall: float
    cpu: float
    peak_mib: float
    """Largest resident set (VmHWM)."""


def main() -> int:
    """Measure; 1 if a chain failed, or ended otherwise after being killed."""
    parser = argparse.ArgumentParser(description="Full-scale simulation of building a benchmark")
    parser.add_argument("--guidelines", default="17,34,67", help="sizes to measure (default: 17,34,67)")
    parser.add_argument("--kills", type=int, default=3, help="times the largest chain is killed (default: 3)")
    options = parser.parse_args()
    sizes = [int(size) for size in options.guidelines.split(",")]
    results: dict[str, Any] = {"sizes": {}}
    with tempfile.TemporaryDirectory(prefix="jmedethic-generation-") as work:
        for size in sizes:
            folder = Path(work) / str(size)
            results["sizes"][size] = _measure(folder, size)
        print(_growth(results["sizes"]))
        same = _killed(Path(work), max(sizes), options.kills) if options.kills else True
    results["same_digests_after_kills"] = same if options.kills else None
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    print(f"{RESULTS.relative_to(ROOT)} written")
    return 0 if same else 1


def _prepare(folder: Path, size: int) -> None:
    """Write the settings of the demo for so many guidelines, with the paper's numbers."""
    folder.mkdir(parents=True, exist_ok=True)
    text = configs.sample()
    ids = ", ".join(f'"{key}"' for key in list(guidelines())[:size])
    text = re.sub(r"^only = .*$", f"only = [{ids}]", text, flags=re.MULTILINE)
    text = re.sub(r"^questions = 5 .*$", "questions = 50", text, flags=re.MULTILINE)
    (folder / "generate.toml").write_text(text, encoding="utf-8")


def _stages() -> Iterator[str]:
    config = configs.read_sample()
    yield from (stage.name for stage in chain.wanted(config))
    yield "report"


def _measure(folder: Path, size: int) -> dict[str, Any]:
    _prepare(folder, size)
    print(f"\n{size} guidelines")
    stages: dict[str, Any] = {}
    for stage in _stages():
        cost = _run([stage], folder)
        built = folder / "reports" / "generation" / "demo"
        summary = files.summary_of(built, stage) if stage != "report" else None
        kept = summary.kept if summary else None
        stages[stage] = {**cost._asdict(), "kept": kept}
        shown = f"{kept} kept" if kept is not None else ""
        print(f"  {stage:14} {cost.wall:7.1f} s  CPU {cost.cpu:7.1f} s  {cost.peak_mib:6.0f} MiB  {shown}", flush=True)
    wall = sum(stage["wall"] for stage in stages.values())
    peak = max(stage["peak_mib"] for stage in stages.values())
    verdict = "met" if wall <= MOST_SECONDS and peak <= MOST_MIB else "MISSED"
    bounds = f"wanted: {MOST_SECONDS:g} s, {MOST_MIB:g} MiB: {verdict}"
    print(f"  together       {wall:7.1f} s, at most {peak:.0f} MiB ({bounds})")
    return {"stages": stages, "wall": wall, "peak_mib": peak}


def _command(*args: str) -> list[str]:
    return [sys.executable, "-m", "jmedethic_pytest", "generate", *args]


def _run(args: list[str], folder: Path) -> Cost:
    """Run a command to its end; its peak memory is read while it lives, its CPU from its own accounting."""
    begun = time.monotonic()
    process = subprocess.Popen(
        _command(*args), cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    peak, cpu = 0.0, 0.0
    while process.poll() is None:
        peak, cpu = max(peak, _status(process.pid)), max(cpu, _cpu(process.pid))
        time.sleep(_POLL)
    if process.returncode:
        assert process.stderr is not None
        raise SystemExit(f"{' '.join(args)} failed with {process.returncode}:\n{process.stderr.read()}")
    return Cost(time.monotonic() - begun, cpu, peak)


def _status(pid: int) -> float:
    try:
        text = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return 0.0
    found = re.search(r"VmHWM:\s+(\d+) kB", text)
    return int(found[1]) / 1024 if found else 0.0


def _cpu(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rsplit(")", 1)[1].split()
    except (OSError, IndexError):
        return 0.0
    return (int(fields[11]) + int(fields[12])) / 100


def _growth(sizes: dict[int, Any]) -> str:
    """Say how CPU grows with the number of guidelines: an exponent of 1 is linear."""
    if len(sizes) < 2:
        return ""
    from math import log

    small, large = min(sizes), max(sizes)
    total = {size: sum(stage["cpu"] for stage in sizes[size]["stages"].values()) for size in (small, large)}
    exponent = log(total[large] / total[small]) / log(large / small)
    return f"\nCPU grows with the {exponent:.2f}th power of the number of guidelines (1 is linear, start-up included)"


def _killed(work: Path, size: int, kills: int) -> bool:
    """Kill the chain at random moments, resume it, and compare the digests with those of the undisturbed one."""
    whole = work / str(size) / "reports" / "generation" / "demo"
    folder = work / "killed"
    _prepare(folder, size)
    built = folder / "reports" / "generation" / "demo"
    total = _bytes(whole)
    for part in sorted(random.uniform(0.02, 0.95) for _ in range(kills)):
        process = subprocess.Popen(
            _command("all"), cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        while process.poll() is None:
            if _bytes(built) >= part * total:
                process.send_signal(signal.SIGKILL)
                break
            time.sleep(_POLL)
        process.wait()
        print(f"killed with {_bytes(built) / total:.0%} of the bytes written", flush=True)
    _run(["all"], folder)
    found, wanted = _digests(built), _digests(whole)
    different = sorted(name for name in {*found, *wanted} if found.get(name) != wanted.get(name))
    print(f"digests after {kills} kills: {'all equal' if not different else f'DIFFERENT: {different}'}")
    return not different


def _bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.glob("*.jsonl"))


def _digests(folder: Path) -> dict[str, str]:
    found = {path.stem: files.summary_of(folder, path.stem) for path in folder.glob("*.jsonl")}
    return {name: summary.digest for name, summary in found.items() if summary is not None}


if __name__ == "__main__":
    sys.exit(main())
