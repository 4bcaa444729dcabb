"""The files a finished run leaves behind besides its verdicts."""

from __future__ import annotations

from jmedethic_pytest.reporting import markdown
from jmedethic_pytest.settings import Settings
from jmedethic_pytest.stats.comparison import Comparisons
from jmedethic_pytest.stats.outcome import Outcome
from jmedethic_pytest.store import RunStore


def write(outcome: Outcome, store: RunStore, settings: Settings) -> None:  # noqa: ARG001 - which files is an option
    """Write figures, gate, comparisons and summary; ``run.json`` comes last, so that it never promises a file in vain.

    Raises:
        StoreError: if a file cannot be written.
    """
    store.write_json("summary.json", outcome.summary)
    store.write_json("gate.json", outcome.gate)
    if outcome.comparisons:
        store.write_json("comparison.json", Comparisons(comparisons=outcome.comparisons))
    store.write_text("summary.md", markdown.render(outcome))
    store.write_info(outcome.info)
