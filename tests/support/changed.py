"""Prints the units and the tests of what differs from ``origin/main`` (or the last commit): for ``make quick``."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
UNITS = ("tests/core", "tests/config", "tests/store", "tests/gate", "tests/test_architecture.py")
"""Run whatever has changed: they take seconds."""
_ELSEWHERE = {
    "jmedethic_pytest/cli": "tests/system/cli",
    "jmedethic_pytest/pytest_plugin": "tests/system/plugin",
    "jmedethic_pytest/demo": "tests/system/plugin/test_demo.py",
    "benchmark_cases": "tests/cases/checks",
    "docs": "tests/system/docs",
    "perf": "tests/stats",
}
"""Folders whose tests do not lie in the folder of the same name."""


def covering(path: str) -> str | None:
    """Return the tests of a changed file: itself, or the folder that mirrors its own; ``None`` if it has none."""
    given = Path(path)
    if given.parts[0] == "tests":
        changed = path if given.name.startswith("test_") and given.suffix == ".py" else str(given.parent)
        return changed if len(given.parts) > 2 and given.parts[1] != "support" and (ROOT / changed).exists() else None
    for folder in (str(parent) for parent in given.parents):
        if folder in _ELSEWHERE:
            return _ELSEWHERE[folder]
        room = folder.replace("jmedethic_pytest/", "tests/", 1)
        if room != folder and (ROOT / room).is_dir():
            return room
    return None


def chosen(paths: Iterable[str]) -> list[str]:
    """Return the units and the tests of changed files, none of them twice."""
    found = {*UNITS, *filter(None, map(covering, paths))}
    return sorted(item for item in found if not any(str(parent) in found for parent in Path(item).parents))


def _git(*args: str) -> list[str]:
    done = subprocess.run(["git", *args], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.splitlines() if done.returncode == 0 else []


def changed() -> list[str]:
    """Return the files that differ from ``origin/main``, or from the last commit if nobody knows that branch."""
    base = next(iter(_git("merge-base", "HEAD", "origin/main")), "HEAD")
    return [*_git("diff", "--name-only", base), *_git("ls-files", "--others", "--exclude-standard")]


if __name__ == "__main__":
    sys.stdout.write(" ".join(chosen(changed())))
