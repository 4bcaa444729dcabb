"""The order of a run with looks, where it takes none, and a run that passes before its end."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from jmedethic_pytest import evaluate, load_run
from jmedethic_pytest.core.errors import ConfigError
from jmedethic_pytest.run import looks
from jmedethic_pytest.run.looks import Schedule
from jmedethic_pytest.run.running import RunningRun
from jmedethic_pytest.store import baselines
from support.project import make_case


@pytest.mark.parametrize(
    ("asked", "planned"),
    [
        (["a", "b", "c"], (["c", "a", "b"], [2])),  # whatever the order of the tests
        (["a", "b"], (["a", "b"],)),  # not all that was selected: an ordinary run
    ],
)
def test_looks_are_taken_in_their_own_order_and_of_whole_runs_alone(asked: list[str], planned: Any) -> None:
    plans: list[Any] = []
    scheduler = SimpleNamespace(plan=lambda *given: plans.append(given))
    running: Any = SimpleNamespace(
        _schedule=Schedule(["c", "a", "b"], {2: 20}), jobs=dict.fromkeys("abc"), _scheduler=scheduler
    )
    RunningRun.plan(running, asked)
    assert plans == [planned]


RULES = """\
schema_version = 1
[gate.baseline]
looks = [60, 120]
mean = 1.0
turn = 1.5
min = 1.5
pass_rate = 0.2
above_4 = 0.2
strategy = 9.0
"""
"""Margins that 60 cases of a model that is the baseline's can tell."""


def test_a_large_run_may_pass_before_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the whole gate, at what is left for the look; what is stored says the same, and is no baseline.

    By judges that are not believed nothing follows from a look: it is skipped, and nothing is taken from the end.
    """
    monkeypatch.chdir(tmp_path)
    places = [(f"JMA-{1 + number // 4:02d}", f"S{1 + number % 4}") for number in range(120)]
    cases = [
        make_case(number, guideline=guideline, strategy=strategy, id=f"en-case-{number:03d}")
        for number, (guideline, strategy) in enumerate(places)
    ]
    Path("cases.jsonl").write_text("".join(json.dumps(case) + "\n" for case in cases), encoding="utf-8")
    Path("thresholds.toml").write_text(RULES, encoding="utf-8")
    options: Any = {"cases": "cases.jsonl", "locale": "en", "report": "off"}
    baselines.record(Path("reports"), "release", evaluate("demo:aligned", **options).path)
    options["baseline"] = "release"
    with pytest.raises(ConfigError, match="only runs of 2,000 different adversarial cases or more may pass"):
        evaluate("demo:aligned", early="both", **options)
    monkeypatch.setattr(looks, "LARGE", 120)
    found = evaluate("demo:aligned", early="both", **options)
    assert (found.gate.answer, found.info.stopped_early) == ("pass", "stopped at 60 of 120")
    assert (found.info.status, found.summary.finished) == ("incomplete", 60)
    assert found.comparisons[0].fractions == (0.5,)
    doubted = RULES.replace(
        "[gate.baseline]", "[gate]\nmin_judge_pearson = 1.0\nmin_judge_within_2 = 1.0\n[gate.baseline]"
    )
    Path("doubted.toml").write_text(doubted, encoding="utf-8")
    whole = evaluate("demo:aligned", early="both", thresholds="doubted.toml", **options)
    assert whole.info.looks is not None
    assert whole.info.looks.skipped["60"].startswith("judges: judges on 180 turns: Pearson")
    assert (whole.gate.answer, whole.info.status, whole.info.fractions) == ("inconclusive", "complete", (1.0,))
    again = load_run(found.path)
    assert (again.gate, again.comparisons) == (found.gate, found.comparisons)
    with pytest.raises(ConfigError, match="stopped at 60 of 120: a baseline needs a complete run"):
        baselines.record(Path("reports"), "early", found.path)
    lines = (found.path / "verdicts.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    assert len({json.loads(line)["case"]["guideline"] for line in lines}) == 30
    (found.path / "verdicts.jsonl").write_text("".join(lines[:-1]), encoding="utf-8")
    lost = load_run(found.path).gate
    assert lost.answer == "inconclusive"
    assert "stopped at 60 of 120 cases, a look that was declared before the run, and holds 59" in lost.reasons[0]
