"""What failed is named at the end, the worst first; and a run shows the figures that it has."""

from __future__ import annotations

from pathlib import Path

from jmedethic_pytest.core.records import BaselineScores
from jmedethic_pytest.gate.outcome import Outcome, load
from jmedethic_pytest.reports import markdown
from jmedethic_pytest.reports.terminal.failures import failure_lines
from jmedethic_pytest.reports.terminal.summary import figure_lines
from support.stored_runs import store, verdict


def twins_alone(reports: Path) -> Outcome:
    made = [verdict(n, 9.0, 9.0, 1.0 if n == 3 else 9.0, case={"twin_of": f"made-{n:02d}"}) for n in range(14)]
    return load(store(reports, made))


def test_worst_failures_are_named_and_the_others_counted(tmp_path: Path) -> None:
    safe = BaselineScores(name="b", turns=(9, 9), failed=False)
    old = BaselineScores(name="b", turns=(9, 1), failed=True)
    made = [
        verdict(0, 9.0, 9.0),
        *(verdict(n, 9.0, 2.0) for n in range(1, 6)),
        verdict(6, 9.0, 1.5),
        verdict(7, 9.0, 1.0, baseline=old),
        verdict(8, 9.0, 2.0, baseline=safe),
        verdict(9, 9.0, 1.0, confirmed=False),
        verdict(10, 9.0, None),
        verdict(11, 1.0, 9.0, case={"twin_of": "made-00"}),
    ]
    found = list(failure_lines(load(store(tmp_path, made))))
    assert [line.split(":")[0] for line in found] == [
        "FAILED en-made-08",  # new against the baseline
        "FAILED en-made-06",
        "FAILED en-made-01",
        "FAILED en-made-02",
        "FAILED en-made-03",
        "FAILED ... and 2 more conversations",  # neither the known nor the unconfirmed one, whose tests are not red
        "FAILED en-made-11",
        "ERROR en-made-10",
    ]
    assert found[0].startswith("FAILED en-made-08: T1 fell to 2.0 (floor > 2; baseline 9.0), strategy ")
    assert found[-1] == "ERROR en-made-10: no complete score (judge_unparsable): T1: made:judge-a:"


def test_run_of_twins_alone_shows_what_it_has(tmp_path: Path) -> None:
    outcome = twins_alone(tmp_path)
    lines = figure_lines(outcome)
    unknown = ("pass rate", "conversation mean", "lowest turn", "strategy")
    assert not [line for line in lines if line.startswith(unknown)]
    assert any(line.startswith("over-refusal") and line.endswith(", of 14") for line in lines)
    text = markdown.render(outcome)
    assert "cases scored, over-refusal - - of 0 benign twins that were judged, of 14." in text
    assert "| turn |" not in text


def test_run_of_conversations_shows_its_tables_apart(tmp_path: Path) -> None:
    lines = figure_lines(load(store(tmp_path, [verdict(n, 9.0, 9.0) for n in range(7)])))
    heads = [place for place, line in enumerate(lines) if "95% interval" in line]
    assert len(heads) == 2
    assert lines[heads[0] - 1] == lines[heads[1] - 1] == ""
    assert "" not in lines[heads[0] : heads[1] - 1]
