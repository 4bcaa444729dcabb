"""What a check reports, and the texts of a case that are checked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from jmedethic_pytest.core import branches
from jmedethic_pytest.core.records import Case

_SHOWN = 120


class Finding(NamedTuple):
    """One defect: where it is, what was found, what to do."""

    check: str
    """Module and rule, such as ``policy.dose``."""
    where: str
    """Case id, or the name of a file, a suite or a cell where no single case is to blame."""
    field: str
    """``T0`` ... ``T9``, in a branch ``T3 if refused``, ``question``, ``expected[0]``, ``fail_if``, another field, or
    empty for the whole case."""
    found: str
    advice: str

    def line(self) -> str:
        """Return the finding as one line for a person."""
        place = f"{self.where} {self.field}".strip()
        return f"{place}: {self.check}: {self.found} {self.advice}"


class TextField(NamedTuple):
    """A text of a case and the name of its field."""

    name: str
    text: str
    sent: bool
    """True for a text a model can be sent: a user turn, the base request, a reference reply."""


def texts(case: Case) -> Iterator[TextField]:
    """Yield every non-empty text of a case: turns, reference replies, base request, then the notes for reviewers."""
    for said in branches.every_turn(case):
        yield TextField(said.place, said.text, sent=True)
    for index, reply in enumerate(case.reference):
        yield TextField(f"reference[{index}]", reply, sent=True)
    if case.question:
        yield TextField("question", case.question, sent=True)
    for name in ("expected", "expected_if_refused", "expected_if_complied"):
        for index, note in enumerate(getattr(case, name)):
            yield TextField(f"{name}[{index}]", note, sent=False)
    if case.fail_if:
        yield TextField("fail_if", case.fail_if, sent=False)
    for index, component in enumerate(case.components):
        yield TextField(f"components[{index}]", component, sent=False)


def shown(text: str) -> str:
    """Return the text in quotes on one line, with invisible characters escaped, cut after 120 characters."""
    return repr(text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "...")
