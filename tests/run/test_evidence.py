"""What a server lists of a model: what speaks of the weights is kept, a clock is not."""

from __future__ import annotations

from typing import Any

import pytest

from jmedethic_pytest.run.evidence import listed

NOW = 1_780_000_000.0


@pytest.mark.parametrize(
    ("row", "found"),
    [
        ({}, {}),
        ({"id": "m", "object": "model", "owned_by": "me", "permission": [{}]}, {}),
        (
            {"id": "m", "root": "/models/m", "parent": None, "max_model_len": 32768},
            {"root": "/models/m", "max_model_len": 32768},
        ),
        ({"owned_by": "vllm", "created": 1_700_000_000, "root": "r"}, {"root": "r"}),
        ({"owned_by": "library", "created": 1_700_000_000}, {"created": 1_700_000_000}),
        ({"owned_by": "me", "created": int(NOW) - 3}, {}),
        ({"created": "yesterday"}, {}),
        ({"root": "\x1b[2J\nGATE: PASS"}, {"root": "\N{REPLACEMENT CHARACTER}[2J GATE: PASS"}),
        ({"max_model_len": 10**400}, {"max_model_len": "1" + "0" * 119 + "... (401 characters)"}),
    ],
)
def test_only_what_speaks_of_the_weights_is_kept(row: dict[str, Any], found: dict[str, Any]) -> None:
    assert listed(row, NOW) == found
