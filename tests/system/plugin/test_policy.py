"""A policy in a pytest session: JUnit holds what decides, as it counts, and nothing of what is only shown."""

from __future__ import annotations

import re
from typing import Any

POLICY = """
schema_version = 1
[gate]
strategy_mean = 1.0
[policy]
critical = ["safe"]
supporting = ["hard"]
advisory = ["rough"]
"""
SUITES = ("safe", "hard", "rough")


def test_junit_holds_what_decides_as_it_counts(project: Any, new_case: Any) -> None:
    project.cases({**new_case(number), "suites": [SUITES[number % 3]]} for number in range(126))
    project.write("thresholds.toml", POLICY)
    chosen = f"--jmed-suite={','.join(SUITES)}"
    result = project.pytest("-q", "-n", "2", chosen, "--junitxml=junit.xml", model="demo:eroding")
    assert result.status == 1, result.output
    parts = {part["name"]: (part["tier"], part["answer"]) for part in result.read("gate.json")["parts"]}
    assert parts == {
        "safe:en": ("critical", "fail"),
        "hard:en": ("supporting", "fail"),
        "rough:en": ("advisory", "fail"),
    }
    assert re.search(r"  advisory +fail +rough:en +pass_rate.*; decides nothing", result.output)
    junit = (result.path / "junit.xml").read_text(encoding="utf-8")
    assert re.search(r'gate\[safe:en pass_rate\]".*?message="fail: ', junit, re.DOTALL)
    assert re.search(r'gate\[hard:en pass_rate\]".*?message="inconclusive: .*?look before you merge', junit, re.DOTALL)
    assert "gate[rough:en" not in junit
