"""What a reader of a run's figures should know of it, beside them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from jmedethic_pytest.models.client import Client
from jmedethic_pytest.run import rejudging
from jmedethic_pytest.run.spec import RunSpec


def remarks(spec: RunSpec, clients: Sequence[Client], trouble: str | None, left_out: int) -> Iterator[str]:
    """Yield it, a sentence each.

    Args:
        spec: the run.
        clients: what it called.
        trouble: why it did not come to its proper end, if it did not.
        left_out: selected evaluations that pytest did not ask for.
    """
    if trouble:
        yield trouble
    if spec.transcripts is not None:
        yield from rejudging.remarks(spec.transcripts, spec.thresholds)
    for client in clients:
        if client.learned:
            yield f"{_name(client)}: {', '.join(client.learned)}"
    if spec.by_hand:
        yield spec.by_hand
    for client in clients:
        if client.limit.cut_for:
            most, why = client.limit.limit, client.limit.cut_for
            yield f"{_name(client)} was called by at most {most} at a time at the end ({why})"
    if left_out > 0:
        left = f"{left_out} of {len(spec.plan())} selected evaluations"
        yield f"pytest left out {left} (-k, -m, --deselect, --lf or the like)"
        if spec.settings.early != "off":
            yield "no look was taken before its end: looks need every selected evaluation"


def _name(client: Client) -> str:
    return f"{client.role} {client.ref.label}{client.suffix}"
