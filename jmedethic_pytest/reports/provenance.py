"""Who answered, in words, for terminal, comment and page alike; what servers call themselves is foreign text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from jmedethic_pytest.analysis.provenance import TARGET
from jmedethic_pytest.core import text as plain_text

if TYPE_CHECKING:
    from jmedethic_pytest.gate.outcome import Outcome

_LONGEST = 160


def provenance_lines(outcome: Outcome) -> Iterator[str]:
    """Yield what a reader must know of who answered: other names than those asked for, and replies of earlier runs."""
    info, found = outcome.info, outcome.provenance
    asked = {TARGET: info.target["model"], **{f"judge {judge['model']}": judge["model"] for judge in info.judges}}
    for role in found.served:
        wanted = asked.get(role, role)
        if list(found.served[role]) != [wanted.partition(":")[2]] and not info.simulated:
            yield plain_text.one_line(f"{role} {wanted} answered as {found.names(role)}", _LONGEST)
    if found.cached:
        whose = f"revision {info.target['revision']}" if info.target.get("revision") else info.replies_of or "any run"
        yield plain_text.one_line(
            f"{found.cached} of {found.replies} replies of the target were asked for by an earlier run ({whose})",
            _LONGEST,
        )
