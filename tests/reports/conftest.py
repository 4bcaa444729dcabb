"""Runs made by hand, with all in them that could spoil a file: hostile texts and names, gaps, no scores at all."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from jmedethic_pytest.analysis.noninferiority.records import CaseChange, Comparison, Endpoint, Regressed
from jmedethic_pytest.analysis.summary import summarise
from jmedethic_pytest.analysis.table import ScoreTable
from jmedethic_pytest.config.tables import Thresholds
from jmedethic_pytest.core.records import Case, Reply, Score, Turn, Verdict
from jmedethic_pytest.core.run_info import RunInfo
from jmedethic_pytest.gate.conditions import decide
from jmedethic_pytest.gate.figures import Figures
from jmedethic_pytest.gate.outcome import Outcome
from jmedethic_pytest.stats.estimate import Estimate, Test
from support.command import beginnings, begun

__all__ = ["beginnings", "begun"]

SECRET_TEXT = "UNWANTED-REPLY"
"""Stands in every reply, reason and user turn; must be in no artefact for the public."""
HOSTILE = (
    '=HYPERLINK("http://evil.example")<script>alert(1)</script></textarea>![x](http://e/x.png)\u202e\x1b[31m`|,\r\n$x$'
)
RULES = Thresholds(schema_version=1)
_JUDGES = ("judge:strict", "judge:lenient")
_CI = ("GITHUB_", "GITLAB_", "CI_", "OPENAI_", "ANTHROPIC_", "OPENROUTER_")


class Made(NamedTuple):
    """A run as reports get it."""

    outcome: Outcome
    table: ScoreTable
    verdicts: list[Verdict]


def make_verdict(number: int, scores: Sequence[float | None], *, twin: bool = False, refused: bool = False) -> Verdict:
    """Return a verdict whose judges differ by one point; ``None`` is a turn that one judge did not score."""
    case = Case(
        id=f"ja-case-{number:04d}" + ("-twin" if twin else ""),
        locale="ja",
        guideline=f"JMA-{1 + number % 67:02d}",
        strategy=f"S{1 + number // 67 % 7}",
        persona="nurse",
        twin_of=f"case-{number:04d}" if twin else None,
        turns=(SECRET_TEXT,) * len(scores),
    )
    turns = []
    for index, value in enumerate(scores):
        first = (
            Score(judge=_JUDGES[0], value=value, over_refusal=refused, rationale=SECRET_TEXT + HOSTILE)
            if value
            else None
        )
        low = Score(judge=_JUDGES[0], value=None, status="unparsable", detail="unreadable")
        second = Score(judge=_JUDGES[1], value=min(10.0, (value or 5.0) + number % 2), over_refusal=refused)
        mean = None if value is None or second.value is None else (value + second.value) / 2
        reply = Reply(text=SECRET_TEXT + HOSTILE)
        turns.append(Turn(index=index, user=SECRET_TEXT, reply=reply, scores=(first or low, second), value=mean))
    status = "scored" if None not in scores else "judge_unparsable"
    violations = RULES.violations(case.strategy, tuple(turns))
    return Verdict(case=case, status=status, turns=tuple(turns), planned_turns=len(scores), violations=violations)


def make_run(
    path: Path, verdicts: Iterable[Verdict], *, model: str = "demo:eroding", comparisons: tuple[Comparison, ...] = ()
) -> Made:
    """Return the outcome of a run of these verdicts, computed as a real run's is."""
    listed = list(verdicts)
    table = ScoreTable(listed)
    summary = summarise(table, selected=len(listed), contested=RULES.judges.contested)
    figures = Figures(table, summary, case_turns=3, turns=None, simulated_judges=False, simulated_target=False)
    gate = decide(figures, RULES.gate)
    info = RunInfo(
        id="20261201T000000Z-x-1234",
        status="complete",
        started="2026-12-01T00:00:00Z",
        tool_version="0",
        target={"model": model, "kind": "demo"},
        judges=tuple({"model": name, "kind": "demo"} for name in _JUDGES),
        simulated=True,
        selection={},
        selected=len(listed),
        digests={"cases": "0" * 64, "prompts": "0" * 64, "thresholds": "0" * 64},
        concurrency=1,
    )
    outcome = Outcome(path, info, summary, gate, RULES, comparisons, table=table)
    return Made(outcome, table, listed)


def scores_of(number: int) -> list[float | None]:
    """Return the scores of one case of a mixed run: most fall from turn to turn, some lack one."""
    falling: list[float | None] = [9.0 + number % 2, float(3 + number % 6), float(1 + number % 4)]
    return [*falling[:2], None] if number % 11 == 5 else falling


def make_comparison(name: str = "release-1.0", failures: int = 3) -> Comparison:
    """Return a comparison with an endpoint of every answer, one without a figure, and so many new failures."""

    def endpoint(name: str, value: float | None, answer: Any, **changes: Any) -> Endpoint:
        low, high = (None, None) if value is None else (value - 0.3, value + 0.3)
        difference = Estimate(value=value, low=low, high=high, reason="" if value is not None else "no pair")
        fields = {"baseline": 8.0, "candidate": 7.0, "margin": 0.5, "worst_low": low, "missing": 2, **changes}
        return Endpoint(name=name, difference=difference, answer=answer, **fields)

    changes = tuple(
        CaseChange(
            key=f"ja-case-{number:04d}",
            guideline="JMA-01",
            strategy="S1",
            locale="ja",
            baseline=(9.0, 8.0, 7.5),
            candidate=(9.0, 8.0, 1.5),
            turn=2,
        )
        for number in range(failures)
    )
    drop = Regressed(
        kind="strategy",
        key="S1",
        difference=Estimate(value=-1.0, low=-2.0, high=-0.1),
        test=Test(name="sign flip", statistic=1.0, p=0.01, p_adjusted=0.07),
    )
    return Comparison(
        baseline=name,
        baseline_run="old",
        baseline_model="demo:aligned",
        candidate_run="new",
        candidate_model="demo:eroding",
        pairs=469,
        clusters=67,
        alpha=0.05,
        answer="fail",
        endpoints=(
            endpoint("mean", -0.1, "pass"),
            endpoint("T2", -2.0, "fail"),
            endpoint("min", None, "inconclusive"),
            endpoint("pass_rate", -0.2, "fail", baseline=0.9, candidate=0.7, margin=0.05),
        ),
        new_failures=changes,
        known_failures=4,
        regressed=(drop,),
        single_judge={"judge:strict": "fail"},
        notices=("the candidate was asked with other parameters",),
    )


@pytest.fixture(scope="session")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """A run of every guideline under every strategy, with gaps, and twins of which some are refused."""
    cases = [make_verdict(number, scores_of(number)) for number in range(469)]
    twins = [make_verdict(number, [10.0, 10.0, 9.0], twin=True, refused=number % 9 == 0) for number in range(120)]
    comparisons = (make_comparison(), make_comparison("医療-release-2", failures=0))
    return make_run(tmp_path_factory.mktemp("mixed"), [*cases, *twins], comparisons=comparisons)


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """As the mixed run, but quick to draw."""
    cases = [make_verdict(67 * number + number % 3, scores_of(number)) for number in range(14)]
    twins = [make_verdict(number, [10.0, 10.0, 9.0], twin=True, refused=number % 3 == 0) for number in range(6)]
    return make_run(tmp_path_factory.mktemp("small"), [*cases, *twins], comparisons=(make_comparison(),))


@pytest.fixture(scope="session")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """A small run whose every name and text is an attack."""
    comparison = make_comparison(HOSTILE)
    cases = [make_verdict(number, scores_of(number)) for number in range(12)]
    return make_run(tmp_path_factory.mktemp("hostile"), cases, model=HOSTILE, comparisons=(comparison,))


@pytest.fixture(scope="session")
def blank(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """A run in which no turn has a score."""
    return make_run(tmp_path_factory.mktemp("blank"), [make_verdict(number, [None] * 3) for number in range(9)])


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """A run without any case."""
    return make_run(tmp_path_factory.mktemp("empty"), [])


@pytest.fixture(scope="session")
def build_run() -> Callable[..., Made]:
    """Return :func:`make_run`."""
    return make_run


@pytest.fixture(scope="session")
def build_verdict() -> Callable[..., Verdict]:
    """Return :func:`make_verdict`."""
    return make_verdict


@pytest.fixture(scope="session")
def build_comparison() -> Callable[..., Comparison]:
    """Return :func:`make_comparison`."""
    return make_comparison


@pytest.fixture(scope="session")
def attack() -> str:
    """A text that means something to a spreadsheet, a browser, Markdown, a terminal and a reader of direction marks."""
    return HOSTILE


@pytest.fixture(scope="session")
def secret_text() -> str:
    """What stands in every text of a model, and must stand in no artefact for the public."""
    return SECRET_TEXT


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder, outside of any system of continuous integration."""
    for name in list(os.environ):
        if name.startswith(_CI):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def cli(folder: Path, in_process: Callable[..., Any]) -> Callable[..., Any]:
    """Call ``jmedethic`` in the folder."""
    return in_process
