"""The part of a page that a script writes: what it found, between two marks; and how such a script is called."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path

DOCS = Path(__file__).resolve().parents[1] / "docs"


def publish(page: Path, script: str, text: str, *, word: str = "measured") -> None:
    """Replace what a script has written into a page.

    Args:
        page: the page.
        script: as its mark names it: ``perf/run.py``, and which part if it writes several.
        text: Markdown.
        word: what the marks say was done.
    """
    begin, end = f"<!-- {word}: written by {script} -->", f"<!-- /{word} -->"
    before, rest = page.read_text(encoding="utf-8").split(begin, 1)
    page.write_text(f"{before}{begin}\n\n{text}\n\n{end}{rest.split(end, 1)[1]}", encoding="utf-8")


def told(rows: Iterable[str]) -> str:
    """Print lines as they come, and return them as one text."""
    lines = []
    for row in rows:
        print(row, flush=True)
        lines.append(row)
    return "\n".join(lines)


def parser(about: str | None, runs: int) -> argparse.ArgumentParser:
    """Return what every simulation can be told: how many runs, and with which seed.

    Args:
        about: the script's docstring.
        runs: how many if nothing is said.
    """
    made = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--runs", type=int, default=runs)
    made.add_argument("--seed", type=int, default=0)
    return made
