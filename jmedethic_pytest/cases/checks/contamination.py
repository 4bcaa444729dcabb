"""Whether the cases of a benchmark carry its canary (:mod:`jmedethic_pytest.cases.canary`)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from jmedethic_pytest.cases import canary
from jmedethic_pytest.cases.checks.findings import Finding
from jmedethic_pytest.cases.files import CaseFiles, bundled_dir

_GUID = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")


def check(folder: Path) -> Iterator[Finding]:
    """Yield a finding for every file of a benchmark with cases that lack its canary.

    Args:
        folder: of the benchmark; the bundled one has ours, another one any that holds a GUID.
    """
    ours = canary.ours() if bundled_dir().resolve() in (folder.resolve(), folder.resolve().parent) else None
    for file in sorted(folder.glob("*.jsonl")):
        lacking = [case.id for case, _ in CaseFiles([file]) if not _carries(case.canary, ours)]
        if lacking:
            yield Finding("canary.missing", file.name, "canary", f"{_some(lacking)} without the canary.", _advice(ours))


def _carries(given: str, ours: str | None) -> bool:
    return given == ours if ours is not None else _GUID.search(given) is not None


def _some(ids: Sequence[str]) -> str:
    return f"{len(ids)} cases ({ids[0]}{', ...' if len(ids) > 1 else ''})"


def _advice(ours: str | None) -> str:
    return f"Write it into each of them: {ours or 'a sentence with a GUID of the benchmark'}."
