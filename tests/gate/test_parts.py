"""The suites that a run holds: those it was asked for, each in each language."""

from __future__ import annotations

import pytest

from jmedethic_pytest.gate.parts import Place, parts

CORE = Place(("core", "full"), "ja", twin=False)
SMOKE = Place(("core", "full", "smoke"), "ja", twin=False)
FULL = Place(("full",), "ja", twin=False)
TWIN = Place(("twins",), "ja", twin=True)
ENGLISH = Place(("core", "full"), "en", twin=False)
OWN = Place((), "ja", twin=False)


@pytest.mark.parametrize(
    ("places", "asked", "named", "expected"),
    [
        ([CORE, SMOKE], None, (), ["core:ja"]),
        ([CORE, SMOKE], "core", (), ["core:ja"]),
        ([CORE, SMOKE, FULL], "full", ("core:ja",), ["full:ja"]),  # that full holds core is nothing the run can know
        ([CORE, SMOKE, FULL], "core, full", (), ["core:ja", "full:ja"]),
        ([SMOKE], "smoke", (), ["smoke:ja"]),
        ([CORE, ENGLISH, TWIN], "core,twins", (), ["core:ja", "core:en", "twins:ja"]),
        ([CORE, SMOKE, FULL, TWIN], "all", (), ["full:ja", "twins:ja"]),
        ([CORE, SMOKE, FULL, TWIN], "all", ("core:ja",), ["core:ja", "full:ja", "twins:ja"]),
        ([CORE, OWN], "all", (), ["core:ja", "full:ja", "all:ja"]),
        ([OWN], None, (), ["all:ja"]),
        ([CORE], "core,long", (), ["core:ja"]),
    ],
)
def test_parts(places: list[Place], asked: str | None, named: tuple[str, ...], expected: list[str]) -> None:
    numbered = {str(number): place for number, place in enumerate(places)}
    assert [part.name for part in parts(numbered, asked, named)] == expected


def test_every_evaluation_is_in_a_part() -> None:
    places = {str(number): place for number, place in enumerate([CORE, SMOKE, FULL, TWIN, ENGLISH, OWN])}
    found = parts(places, "all")
    assert set().union(*(part.keys for part in found)) == set(places)
