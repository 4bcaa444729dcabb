"""How long to wait before a call is tried again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jmedethic_pytest.models import pauses


@pytest.mark.parametrize(
    ("headers", "wanted"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after-ms": "250", "retry-after": "7"}, 0.25),
        ({"retry-after-ms": "", "retry-after": "7"}, 7.0),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "9" * 400}, None),
        ({"retry-after": "Fri, 99 Nov 0000 99:99:99 GMT"}, None),
    ],
)
def test_what_a_server_asks_for(headers: dict[str, str], wanted: float | None) -> None:
    assert pauses.asked(headers) == wanted


def test_a_date_is_so_many_seconds_away() -> None:
    date = datetime.now(UTC) + timedelta(seconds=90)
    assert pauses.asked({"retry-after": format_datetime(date, usegmt=True)}) == pytest.approx(90, abs=5)
    assert pauses.asked({"retry-after": format_datetime(date - timedelta(hours=1), usegmt=True)}) == 0.0


@given(st.text(max_size=30))
def test_no_header_is_an_error_or_a_time_that_cannot_be_waited(value: str) -> None:
    found = pauses.asked({"retry-after": value, "retry-after-ms": value})
    assert found is None or 0 <= found < float("inf")


def test_pauses_double_up_to_a_bound() -> None:
    for failures in range(1, 2000):
        usual = min(pauses.LONGEST, pauses.FIRST * 2 ** min(failures - 1, 20))
        assert 0.7 * usual <= pauses.after(failures) <= 1.3 * usual
