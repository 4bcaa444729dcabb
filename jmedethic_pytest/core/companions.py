"""What stands beside an evaluation where a run asks how robust its model is: the conversation again, and reworded."""

from __future__ import annotations

from typing import Self

from pydantic import model_validator

from jmedethic_pytest.core.records import Record, Verdict


class Companions(Record):
    """Two more runs of one conversation; the figures and the gate of the run are those of the original alone."""

    key: str
    """That of the original's verdict."""
    kind: str
    """How it was reworded, or was to be."""
    repeated: Verdict | None = None
    """The conversation once more, as it was: what changes between two runs of the same words."""
    reworded: Verdict | None = None
    """The same request in other clothes. Its case is the original, which the judges saw; its turns hold what was said
    to the target."""
    wording: str = ""
    """sha256 of the other wording, all turns of it; empty if there is none."""
    reason: str = ""
    """Why there are none: the kind could not change the conversation. Empty otherwise."""

    @model_validator(mode="after")
    def _both_or_a_reason(self) -> Self:
        there = [verdict for verdict in (self.repeated, self.reworded) if verdict is not None]
        if len(there) != (0 if self.reason else 2):
            raise ValueError(f"{self.key}: two companions are needed, or a reason why there are none")
        case_id = self.key.partition("~")[0]
        if any(verdict.case.id != case_id for verdict in there):
            raise ValueError(f"{self.key}: its companions are of another case")
        return self
