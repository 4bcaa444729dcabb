"""What was measured: rows, the machine, the JSON file and the table of docs/performance.md."""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median
from typing import Any

import pages
from workload import ROOT

PAGE = ROOT / "docs" / "performance.md"
_PACKAGES = ("jmedethic-pytest", "pytest", "pytest-xdist", "openai", "httpx2", "aiohttp", "pydantic", "pandas")
_QUIET = 0.05
"""Share of the machine that others may use before a figure is called provisional."""


@dataclass(frozen=True)
class Row:
    """One figure: the median of its samples, and the bound it is held against, if there is one."""

    measure: str
    what: str
    value: float
    unit: str = ""
    at_most: float | None = None
    at_least: float | None = None
    detail: str = ""
    samples: tuple[float, ...] = ()

    @property
    def met(self) -> bool | None:
        """True if the figure keeps its bound, ``None`` without one."""
        if self.at_most is not None:
            return self.value <= self.at_most
        return self.value >= self.at_least if self.at_least is not None else None

    @property
    def target(self) -> str:
        """The bound in words."""
        if self.at_most is not None:
            return f"<= {_number(self.at_most, self.unit)}"
        return f">= {_number(self.at_least, self.unit)}" if self.at_least is not None else ""

    @property
    def shown(self) -> str:
        """The value with its unit."""
        return _number(self.value, self.unit)

    def line(self) -> str:
        """Return the row as one line for the terminal."""
        answer = {True: "met", False: "NOT MET", None: ""}[self.met]
        bound = f"  [{self.target}: {answer}]" if self.target else ""
        detail = f"  ({self.detail})" if self.detail else ""
        return f"  {self.what:<66} {self.shown:>14}{bound}{detail}"


def median_row(name: str, what: str, samples: Sequence[float], unit: str = "", **more: Any) -> Row:
    """Return the row of a figure that was taken several times."""
    return Row(name, what, median(samples), unit, samples=tuple(samples), **more)


def _number(value: float, unit: str) -> str:
    text = f"{value:,.0f}" if unit in {"MiB", "calls/s", "calls", "processes"} else f"{value:.2f}"
    return f"{text} {unit}".rstrip()


@dataclass
class Results:
    """All rows of one run of the benchmark, with the machine and how busy others kept it."""

    machine: dict[str, Any]
    options: dict[str, Any]
    begun: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))
    rows: list[Row] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)
    """Measures that were not taken, and why."""
    others: dict[str, float] = field(default_factory=dict)
    """Share of the machine used by others during each measure."""

    @property
    def provisional(self) -> bool:
        """True if others used the machine."""
        return any(share > _QUIET for share in self.others.values())

    def write_json(self, path: Path) -> None:
        """Write everything, the samples included."""
        rows = [{**asdict(row), "target": row.target, "met": row.met} for row in self.rows]
        path.parent.mkdir(parents=True, exist_ok=True)
        content = {**asdict(self), "rows": rows, "provisional": self.provisional}
        path.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")

    def write_page(self, path: Path = PAGE) -> None:
        """Replace the table of docs/performance.md."""
        pages.publish(path, "perf/run.py", self._section())

    def _section(self) -> str:
        machine = self.machine
        packages = ", ".join(f"{name} {number}" for name, number in machine["packages"].items())
        lines = [
            f"Measured on {self.begun[:10]}: {machine['cpu']}, {machine['cores']} cores, {machine['memory_gib']} GiB, "
            f"{machine['system']}, Python {machine['python']}; {packages}. "
            f"Medians of {self.options['repeats']} interleaved repeats.",
            "",
            "| measure | figure | target | met |",
            "|---|---|---|---|",
        ]
        answers = {True: "yes", False: "**no**", None: ""}
        for row in self.rows:
            what = f"{row.what}{f' ({row.detail})' if row.detail else ''}"
            lines.append(f"| {what.replace('|', '/')} | {row.shown} | {row.target} | {answers[row.met]} |")
        lines += [f"| {name}: not measured, {reason} | | | |" for name, reason in self.skipped.items()]
        if self.provisional:
            shares = ", ".join(f"{name} {share:.0%}" for name, share in self.others.items())
            lines += [
                "",
                "**Provisional**: other work ran on the machine at the same time, so wall times are too long and CPU "
                f"times too high. Share of all CPU time that others used: {shares}.",
            ]
        return "\n".join(lines)


def machine() -> dict[str, Any]:
    """Name the machine and what runs on it."""
    packages = {}
    for name in _PACKAGES:
        try:
            packages[name] = version(name)
        except PackageNotFoundError:
            packages[name] = "-"
    return {
        "cpu": _found(r"model name\s*:\s*(.+)", "/proc/cpuinfo", platform.processor()),
        "cores": os.cpu_count(),
        "memory_gib": round(int(_found(r"MemTotal:\s*(\d+)", "/proc/meminfo", "0")) / 1024**2),
        "system": f"{platform.system()} {platform.release().split('-')[0]}",
        "python": platform.python_version(),
        "packages": packages,
        "commit": _commit(),
        "load_average": os.getloadavg()[0],
    }


def _found(pattern: str, file: str, default: str) -> str:
    match = re.search(pattern, Path(file).read_text(encoding="utf-8"))
    return match[1].strip() if match else default


def _commit() -> str:
    done = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return done.stdout.strip()
