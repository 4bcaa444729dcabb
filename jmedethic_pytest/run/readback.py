"""A run's own verdicts, read again at its end: what is stored is what counts."""

from __future__ import annotations

from collections.abc import Set
from pathlib import Path
from typing import TYPE_CHECKING

from jmedethic_pytest.core import transcripts
from jmedethic_pytest.run import rejudging
from jmedethic_pytest.store import runs as run_files

if TYPE_CHECKING:
    from jmedethic_pytest.gate.outcome import Evaluated


def read_back(path: Path, planned: Set[str], evaluated: Evaluated) -> tuple[str, list[str]]:
    """Read a run's verdicts into its figures.

    Args:
        path: the run's folder.
        planned: keys of the evaluations that belong to the figures.
        evaluated: takes them.

    Returns:
        The digest of all transcripts; a note if conversations went another way than these judges would have chosen.
    """
    digests, strayed = {}, 0
    for verdict in run_files.read_verdicts(path):
        digests[verdict.key] = verdict.transcript
        strayed += rejudging.strays(verdict)
        if verdict.key in planned:
            evaluated.add(verdict)
    notes = [f"{strayed} conversations took a branch that these judges would not have chosen"] if strayed else []
    return transcripts.digest_of_all(digests), notes
