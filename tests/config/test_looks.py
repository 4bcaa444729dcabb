"""Looks in the thresholds file: what may be declared, and that a file without them stays what it was."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from jmedethic_pytest.config.policy import differences
from jmedethic_pytest.config.tables import Thresholds


def rules(looks: object) -> Thresholds:
    return Thresholds.model_validate({"schema_version": 1, "gate": {"baseline": {"looks": looks}}})


@pytest.mark.parametrize(
    ("looks", "problem"),
    [
        ([134], "from 2 to 10 looks"),
        (list(range(1, 12)), "from 2 to 10 looks"),
        ([268, 134, 469], "each larger than the one before"),
        ([134, 134, 469], "each larger than the one before"),
        ([0, 469], "greater than or equal to 1"),
        ([134.0, 469], "valid integer"),
        (["134", 469], "valid integer"),
    ],
)
def test_looks_that_lead_through_no_run_are_refused(looks: object, problem: str) -> None:
    with pytest.raises(ValidationError, match=problem):
        rules(looks)


def test_without_looks_rules_are_written_and_digested_as_ever() -> None:
    plain = Thresholds(schema_version=1)
    assert "looks" not in plain.model_dump(mode="json")["gate"]["baseline"]
    assert rules([]).digest() == plain.digest() != rules([134, 469]).digest()


def test_looks_are_read_back_and_named_as_a_difference_that_is_no_weakness() -> None:
    declared = rules([134, 268, 469])
    assert Thresholds.model_validate(declared.model_dump(mode="json")) == declared
    (found,) = differences(Thresholds(schema_version=1), declared)
    assert (str(found), found.weaker) == ("baseline.looks not set -> 134, 268, 469", False)
