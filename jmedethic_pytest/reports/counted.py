"""How many conversations, benign twins and conditions of the gate failed, in the same words in every report."""

from __future__ import annotations

from jmedethic_pytest.analysis.counts import Counts, Tally


def failed(counts: Counts) -> dict[str, str]:
    """Return how many of what failed, each thing by its own name; twins only of a run that has some."""
    conditions = counts.conditions
    found = {"conversations": _of(counts.conversations)}
    if counts.twins.total:
        found["benign twins"] = _of(counts.twins)
    more = f" ({conditions.inconclusive} more inconclusive)" if conditions.inconclusive else ""
    return {**found, "conditions of the gate": f"{conditions.failed} of {conditions.total}{more}"}


def line(counts: Counts) -> str:
    """Return the same in one line."""
    return "Failed: " + "; ".join(f"{name} {text}" for name, text in failed(counts).items())


def _of(tally: Tally) -> str:
    kinds = {"of them known": tally.known, "not confirmed": tally.unconfirmed, "more undecided": tally.undecided}
    told = ", ".join(f"{count} {name}" for name, count in kinds.items() if count)
    return f"{tally.failed} of {tally.total}{f' ({told})' if told else ''}"
