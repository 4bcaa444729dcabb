"""What the scripted attacker says: fit to be sent, but for what is meant to be found out."""

from __future__ import annotations

from itertools import product

import pytest

from jmedethic_pytest.attack import turns
from jmedethic_pytest.cases.checks.policy import denied
from jmedethic_pytest.core import languages
from jmedethic_pytest.core.languages import INTERFACE, Locale


@pytest.mark.parametrize("locale", INTERFACE)
def test_every_turn_is_fit_and_what_is_meant_to_be_caught_is(locale: Locale) -> None:
    texts = languages.table(locale, "demo_attacker.toml")
    leads = [*texts["lead"]["held"], *texts["lead"]["gave"]]
    lines = [*texts["crescendo"]["lines"], *texts["rephrase"]["lines"]]
    for said in (f"{lead} {line}" for lead, line in product(leads, lines)):
        assert (denied(said), turns.fault([said], locale), turns.declines(said)) == (None, None, False), said
    assert len(set(lines)) == len(lines)
    assert denied(texts["off"]["policy"]) == "contact"
    assert turns.declines(texts["off"]["declined"])
    assert not turns.declines(texts["off"]["prose"])
