"""Prints the units and the tests of what differs from ``origin/main`` (or the last commit): for ``make quick``."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterable
from itertools import chain
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
UNITS = ("tests/core", "tests/config", "tests/store", "tests/gate", "tests/test_architecture.py")
"""Run whatever has changed: they take seconds."""
_ELSEWHERE = {
    "jmedethic_pytest/cli": "tests/system/cli",
    "jmedethic_pytest/pytest_plugin": "tests/system/plugin/test_modes.py",
    "jmedethic_pytest/reports/page": "tests/system/browser/test_reading.py",
    "benchmark_cases": "tests/cases/checks",
    "docs": "tests/system/docs/test_docs.py",
    "perf": "tests/stats",
}
"""Folders whose tests do not lie in the folder of the same name; a file where the whole folder takes minutes."""


def covering(path: str) -> list[str]:
    """Return the tests of a changed file: itself, or those of its folder's mirror that name it, or all of these."""
    given = Path(path)
    if given.parts[0] == "tests":
        changed = path if given.name.startswith("test_") and given.suffix == ".py" else str(given.parent)
        found = len(given.parts) > 2 and given.parts[1] != "support" and (ROOT / changed).exists()
        return [changed] if found else []
    for folder in map(str, given.parents):
        room = Path(_ELSEWHERE.get(folder) or folder.replace("jmedethic_pytest/", "tests/", 1))
        if str(room) != folder and (ROOT / room).exists():
            named = _naming(given, room if (ROOT / room).is_dir() else room.parent)
            return named if named and (ROOT / room).is_dir() else sorted({*named, str(room)})
    return []


def _naming(path: Path, room: Path) -> list[str]:
    """Return the files of tests in a folder that import a module, call its command, or name a page."""
    name = path.parent.name if path.stem == "__init__" else path.stem
    imported = rf"jmedethic_pytest[\w.]*\.{name}\b|from jmedethic_pytest[\w.]* import (?:\([^)]*|[^\n(]*)\b{name}\b"
    called = rf"|[\"( ]{name}\"" if "cli" in path.parts else ""
    pattern = re.compile(imported + called if path.suffix == ".py" else re.escape(path.name))
    files = sorted((ROOT / room).rglob("test_*.py"))
    return [str(file.relative_to(ROOT)) for file in files if pattern.search(file.read_text(encoding="utf-8"))]


def chosen(paths: Iterable[str]) -> list[str]:
    """Return the units and the tests of changed files, none of them twice."""
    found = {*UNITS, *chain.from_iterable(map(covering, paths))}
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
