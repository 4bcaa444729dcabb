"""``summary.md`` and ``comment.md``: reasons first, within their limits, and names are only names."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jmedethic_pytest.core.run_info import RunInfo
from jmedethic_pytest.core.sentences import say
from jmedethic_pytest.reports import markdown
from jmedethic_pytest.reports.terminal.summary import summary_lines

CUT = say("md.cut")
ORDER = (
    "## ❌ Safety gate: fail",
    "**Why not pass:**",
    "### ❌ Against baseline",
    "| turn | n |",
    "| strategy | n |",
)


def test_reasons_come_before_figures_and_every_part_is_there(mixed: Any) -> None:
    text = markdown.render(mixed.outcome)
    places = [text.index(part) for part in ORDER]
    assert places == sorted(places)
    assert text.startswith(ORDER[0])
    assert "SIMULATION" in text
    for reason in mixed.outcome.gate.reasons:
        assert markdown.sentence(reason) in text
    assert re.search(r"\| T2 \| \d+ \| \d+ \| [\d.]+ \| [\d.]+ \| \[[\d.]+, [\d.]+\] \|", text)
    assert "judge agreement" in text
    assert "over-refusal" in text


def test_baseline_shows_endpoints_new_failures_by_id_and_what_else_to_know(mixed: Any) -> None:
    text = markdown.render(mixed.outcome)
    assert "| ❌ fail | T2 | 8.00 | 7.00 | -2.00 | [-2.30, -1.70] | 0.50 | 2 |" in text
    assert "| ❌ fail | pass_rate | 90.0% | 70.0% | -20.0% | [-50.0%, 10.0%] | 5.0% | 2 |" in text
    assert "| ⚠️ inconclusive | min | 8.00 | 7.00 | - | - | 0.50 | 2 |" in text
    assert "3 new failures (4 known, 0 fixed)" in text
    assert "| `ja-case-0001` | S1 | T2 | 7.5 | 1.5 |" in text
    assert "* the candidate was asked with other parameters" in text
    assert "With one judge alone: `judge:strict` fail." in text
    assert "`医療-release-2`" in text


@pytest.mark.parametrize("run", ["mixed", "hostile", "blank", "empty"])
def test_no_text_of_a_model_and_no_live_markup_is_in_it(
    run: str, request: pytest.FixtureRequest, secret_text: str
) -> None:
    made = request.getfixturevalue(run)
    for text in (markdown.render(made.outcome), markdown.comment(made.outcome)):
        assert secret_text not in text
        outside_code = re.sub(r"```.*?```|`[^`\n]*`", "", text, flags=re.DOTALL)
        assert not re.search(
            r"<(?=[a-zA-Z/!])(?!/?details>|/?summary>|!-- jmedethic)|(?<!\\)!\[|\]\(|https?://", outside_code
        )
        assert not set("\x1b\u202e") & set(text)
        assert text.count("<details>") == text.count("</details>")


def test_comment_begins_with_the_marker_and_stays_below_the_limits_of_its_hosts(
    tmp_path: Path, build_run: Any, build_verdict: Any, build_comparison: Any
) -> None:
    comparison = build_comparison(failures=2345)
    made = build_run(
        tmp_path, [build_verdict(number, [9.0, 5.0, 1.0]) for number in range(7)], comparisons=(comparison,)
    )
    text = markdown.comment(made.outcome)
    assert text.startswith(f"{markdown.MARKER}\n## ")
    assert len(text.encode()) < 65_536
    assert CUT in text
    assert "2345 new failures" in text
    assert text.count("<details>") == text.count("</details>")
    assert len(markdown.render(made.outcome).encode()) > 65_536, "the file itself is whole"


@settings(derandomize=True, database=None, max_examples=60, deadline=None)
@given(limit=st.integers(200, 12_000))
def test_text_is_cut_between_rows_and_says_so(mixed: Any, limit: int) -> None:
    whole, cut = markdown.render(mixed.outcome), markdown.render(mixed.outcome, limit)
    assert len(cut.encode()) <= limit
    if len(whole.encode()) + 200 > limit:
        assert cut.endswith(f"{CUT}\n") or cut == whole
    assert set(cut.splitlines()) <= {*whole.splitlines(), CUT}
    assert cut.count("```") % 2 == 0
    assert cut.count("<details>") == cut.count("</details>")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("mean[T2]: 2.3 (at least 6)", "mean[T2]: 2.3 (at least 6)"),
        ("pass_rate 13.4%", "pass_rate 13.4%"),
        ("![a](http://x) <b> @me #1", "\\![a]\\(http&#58;//x) &#60;b&#62; &#64;me &#35;1"),
        ("a|b `c` *d* ~e~ _f_ $g$ \\", "a\\|b \\`c\\` \\*d\\* \\~e\\~ \\_f\\_ \\$g\\$ \\\\"),
        ("[x]: y\nz", "\\[x]: y z"),
    ],
)
def test_signs_of_markup_are_only_signs(text: str, shown: str) -> None:
    assert markdown.sentence(text) == shown


def test_name_cannot_leave_its_code() -> None:
    assert markdown.code("a`b|c\nd") == "`a'b\\|c d`"


def test_a_name_of_a_strategy_begins_no_line_and_is_no_markup(
    tmp_path: Path, build_run: Any, build_verdict: Any
) -> None:
    """A pack beside the case files is part of the change that is judged: its names must not forge an answer."""
    evil = "X\n\nGATE: PASS\n## ✅ Safety gate: pass\n\x1b[2J| <img src=http://h/p.png> [ok](http://h/) @everyone"
    names = {"name": {"en": evil, "ja": evil}, "definition": {"en": "d", "ja": "d"}}
    found = [build_verdict(number, [9.0, 5.0, 1.0]) for number in range(7)]
    own = [item.model_copy(update={"case": item.case.model_copy(update={"strategy": "Z1"})}) for item in found]
    outcome = build_run(tmp_path, own).outcome
    vocabulary = {"strategies": [{"id": "Z1", "slug": "z1", **names}]}
    outcome = replace(outcome, info=RunInfo.model_validate({**outcome.info.model_dump(), "vocabulary": vocabulary}))
    for text in (markdown.render(outcome), "\n".join(summary_lines(outcome))):
        assert "Z1 X" in text
        assert not [line for line in text.splitlines() if line.startswith(("GATE: PASS", "## ✅"))]
        assert "\x1b" not in text
    assert "<img" not in markdown.render(outcome)
    assert "](http" not in markdown.render(outcome)
