"""All checks that apply to a set of cases, in one call."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from jmedethic_pytest.cases.checks import (
    alignment,
    balance,
    components,
    contamination,
    identity,
    manifest,
    policy,
    promise,
    script,
    similarity,
    turns,
    variety,
)
from jmedethic_pytest.cases.checks.findings import Finding
from jmedethic_pytest.cases.files import bundled_dir
from jmedethic_pytest.core.records import Case

_OF_ONE_CASE: tuple[Callable[[Case], Iterator[Finding]], ...] = (
    policy.check,
    identity.check,
    script.check,
    turns.check,
    components.check,
)

GROUPS = (
    "policy",
    "identity",
    "script",
    "turns",
    "components",
    "similarity",
    "variety",
    "alignment",
    "balance",
    "manifest",
    "canary",
)
"""First parts of the names of all checks, in the order in which they are made."""


def run(cases: Sequence[Case], folder: Path | None = None, built: Path | None = None) -> Iterator[Finding]:
    """Yield the findings of every check that applies.

    Args:
        cases: what to check.
        folder: the folder of a complete benchmark, to which balance, alignment and manifest apply; ``None`` for other
            sets, which need not be balanced.
        built: where the cases are, if they may have been built by ``jmedethic generate``.
    """
    for case in cases:
        for check in _OF_ONE_CASE:
            yield from check(case)
    yield from similarity.check(cases)
    yield from variety.check(cases)
    promised = None if folder is None else promise.of(folder)
    yield from alignment.check(cases, promised)
    if folder is not None and promised is not None:
        yield from balance.check(cases, promised)
        yield from manifest.check(folder, cases)
        yield from contamination.check(folder)
    if built is not None:
        yield from manifest.check_build(built, cases)
        if folder is None and (built / manifest.BUILD).is_file():
            yield from contamination.check(built)


def complete_folder(path: Path | None) -> Path | None:
    """Return the folder if the path is a complete benchmark: the bundled one (``None``), or one with a manifest."""
    folder = path or bundled_dir()
    whole = folder.resolve() == bundled_dir().resolve() or (folder / manifest.NAME).is_file()
    return folder if whole and folder.is_dir() else None
