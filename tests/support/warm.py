"""One small run with reports, made when this is imported: the server of forks has then loaded what every run needs."""

from __future__ import annotations

import os
import sys
import tempfile
from importlib.metadata import PathDistribution, distributions
from pathlib import Path

from jmedethic_pytest import evaluate
from support import bundled, forked  # noqa: F401 - what every fork begins with


def _keep(name: str) -> None:
    """Read a property of an installed package once: every pytest asks all of them for their plugins."""
    read, kept = getattr(PathDistribution, name).fget, {}

    def get(found: PathDistribution) -> object:
        place = str(found._path)  # type: ignore[attr-defined]
        if place not in kept:
            kept[place] = read(found)
        return kept[place]

    setattr(PathDistribution, name, property(get))


_KEPT = ("entry_points", "files", "metadata")
for name in _KEPT:
    _keep(name)
for package in distributions():
    if any(point.group == "pytest11" for point in package.entry_points):
        _ = [getattr(package, name) for name in _KEPT]

bundled.keep()
sys.path.remove(str(Path(__file__).parents[1]))  # where this was found is no place of a user's
_home = Path.cwd()
with tempfile.TemporaryDirectory() as folder:
    os.chdir(folder)
    evaluate("demo:eroding", suite="smoke", sample=7, report="full", cache="off")
    os.chdir(_home)
