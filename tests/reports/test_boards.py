"""The leaderboard as LaTeX, Markdown and CSV: the same figures, names that break nothing, and what must be known."""

from __future__ import annotations

import csv
import io
import re

import pytest

from jmedethic_pytest.analysis.leaderboard import Entry, FineTune, Leaderboard
from jmedethic_pytest.reports import boards
from jmedethic_pytest.stats.estimate import Estimate, Test

HARD = r"a|b_50%&{x}\y~$#^"
MEAN = Estimate(value=7.125, low=6.5, high=7.75)
SHARE = Estimate(value=0.5, low=0.25, high=0.75)


@pytest.fixture(scope="module")
def board() -> Leaderboard:
    unknown = Estimate(value=None, reason="no score")
    first = Entry(
        name=HARD,
        run="r1",
        model=HARD,
        simulated=True,
        n=40,
        missing=1,
        mean=MEAN,
        turns=(MEAN, unknown),
        pass_rate=SHARE,
    )
    second = first.model_copy(update={"name": "模型", "model": "=cmd()", "turns": (MEAN,), "helpfulness": 0.9})
    tune = FineTune(
        base="base",
        tuned=HARD,
        pairs=40,
        mean=MEAN,
        turns=(MEAN,),
        pass_rate=SHARE,
        test=Test(name="w", statistic=None, p=None),
    )
    return Leaderboard(shared_cases=40, entries=(first, second), fine_tunes=(tune,), forced=("turns differ",))


@pytest.mark.parametrize("kind", ["latex", "markdown"])
def test_a_table_says_what_must_be_known(board: Leaderboard, kind: str) -> None:
    text = boards.FORMATS[kind](board)
    for known in ("SIMULATION", "Unlike runs: turns differ", "clustered by guideline", "40 evaluations"):
        assert known in text
    assert "7.12" in text.replace("7.13", "7.12")
    assert "[6.50, 7.75]" in text
    assert "None" not in text
    assert "nan" not in text


def test_latex_is_a_table_whatever_a_model_is_called(board: Leaderboard) -> None:
    text = boards.latex(board)
    rows = [line for line in text.splitlines() if line.endswith(r"\\")]
    assert len(rows) == 2 + 1 + 1 + 1
    assert len({len(re.findall(r"(?<!\\)&", row)) for row in rows[:3]}) == 1
    without = re.sub(r"\\[&%$#_{}]", "", text)
    assert without.count("{") == without.count("}")
    assert re.search(r"a\|b\\_50\\%\\&\\\{x\\\}\\textbackslash\{\}y", text)
    assert text.count(r"\begin{table}") == text.count(r"\end{table}") == 2
    assert not re.search(r"(?<!\\)%", text.split("\n", 1)[1]), "a sign of per cent would hide the rest of its line"


def test_markdown_is_a_table_whatever_a_model_is_called(board: Leaderboard) -> None:
    rows = [line for line in boards.markdown(board).splitlines() if line.startswith("|")]
    assert len({len(re.findall(r"(?<!\\)\|", row)) for row in rows[:4]}) == 1


def test_csv_has_every_figure_and_runs_no_formula(board: Leaderboard) -> None:
    text = boards.csv(board)
    first, second = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))
    assert (first["t0_mean"], first["t0_low"], first["t1_mean"]) == ("7.125", "6.5", "")
    assert (first["pass_rate"], first["pass_rate_low"], first["helpfulness"]) == ("0.5", "0.25", "")
    assert (first["simulated"], first["unlike_runs"]) == ("true", "turns differ")
    assert second["model"] == "'=cmd()"
