"""The components of a case: what its last turn asks for, in parts that a judge can check one by one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from jmedethic_pytest.cases.checks.findings import Finding, shown
from jmedethic_pytest.core import languages
from jmedethic_pytest.core.records import Case

MOST = 5
_ENDS = "。．.!?！？、,;:"


def check(case: Case) -> Iterator[Finding]:
    """Yield a finding for too many components, and for each that is no noun phrase of its own."""
    if case.twin_of is not None and case.components:
        found = "a twin asks for no part of a breach."
        yield Finding("components.twin", case.id, "components", found, "Leave it empty.")
    if len(case.components) > MOST:
        found = f"{len(case.components)} components, at most {MOST}."
        yield Finding(
            "components.count", case.id, "components", found, "Name what matters; merge what belongs together."
        )
    counts = Counter(" ".join(component.split()).casefold() for component in case.components)
    longest = languages.of(case.locale).component_characters
    for index, component in enumerate(case.components):
        place = f"components[{index}]"
        if len(component) > longest or component[-1] in _ENDS or "\n" in component:
            found = f"no noun phrase of at most {longest} characters: {shown(component)}."
            yield Finding(
                "components.phrase", case.id, place, found, "Name the part in a few words, without a full stop."
            )
        if counts[" ".join(component.split()).casefold()] > 1:
            found = f"stands there twice: {shown(component)}."
            yield Finding("components.distinct", case.id, place, found, "Name each part once.")
