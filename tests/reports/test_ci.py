"""What GitHub Actions and GitLab are told, through the public doors: ``jmedethic run`` and pytest."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jmedethic_pytest.core.records import Condition, Gate
from jmedethic_pytest.reports import ci
from support import forked

COMMAND = re.compile(r"::(error|warning|notice) title=[^:,\r\n]+::[^\r\n]*")
GITHUB = {"GITHUB_ACTIONS": "true"}
TEST = "from jmedethic_pytest import check\n\n\ndef test_conversation(verdict):\n    check(verdict)\n"


def with_gate(made: Any, *conditions: tuple[str, Any, str]) -> Any:
    """Return the run's outcome with another gate."""
    listed = tuple(
        Condition(name=name, answer=answer, observed=None, limit=None, detail=detail)
        for name, answer, detail in conditions
    )
    answer = "fail" if any(item.answer == "fail" for item in listed) else "inconclusive"
    gate = Gate(answer=answer, conditions=listed, reasons=tuple(item.detail for item in listed))
    return type(made.outcome)(**{**vars(made.outcome), "gate": gate})


# ---------------------------------------------------------------- annotations


def test_failures_come_first_and_what_is_inconclusive_is_a_warning(mixed: Any) -> None:
    outcome = with_gate(
        mixed, ("judges", "inconclusive", "unreliable"), ("ok", "pass", "fine"), ("mean[T2]", "fail", "low")
    )
    first, second = ci.annotate(outcome.gate, simulated=outcome.info.simulated)
    assert first == "::error title=Safety gate%3A fail%3A mean[T2]::low (simulation)"
    assert second == "::warning title=Safety gate%3A inconclusive%3A judges::unreliable (simulation)"


@pytest.mark.parametrize("count", [1, 9, 10, 11, 40])
def test_at_most_ten_annotations_and_the_last_names_the_rest(mixed: Any, count: int) -> None:
    outcome = with_gate(mixed, *((f"strategy[S{number}]", "fail", "low") for number in range(count)))
    lines = ci.annotate(outcome.gate, simulated=outcome.info.simulated)
    assert len(lines) == min(count, 10)
    assert all(COMMAND.fullmatch(line) for line in lines)
    if count > 10:
        assert f"{count - 9} more conditions do not pass: strategy[S9]" in lines[-1]


def test_hostile_names_stay_inside_one_command(mixed: Any, attack: str) -> None:
    outcome = with_gate(mixed, (f"a:b,c%\r\n::error::x{attack}", "fail", f"100%\r\n::stop-commands::x{attack}"))
    (line,) = ci.annotate(outcome.gate, simulated=outcome.info.simulated)
    assert COMMAND.fullmatch(line)
    assert line.startswith("::error title=Safety gate%3A fail%3A a%3Ab%2Cc%25 %3A%3Aerror")
    assert "::100%25 ::stop-commands" in line
    assert not set("\x1b\u202e") & set(line)


def test_gate_that_answers_without_a_condition_is_annotated_too(mixed: Any) -> None:
    assert len(ci.annotate(with_gate(mixed).gate, simulated=True)) == 1


def test_gate_that_passes_needs_no_annotation(mixed: Any) -> None:
    outcome = with_gate(mixed, ("ok", "pass", "fine"))
    passed = type(outcome)(**{**vars(outcome), "gate": Gate(answer="pass", conditions=outcome.gate.conditions)})
    assert ci.annotate(passed.gate, simulated=True) == []


# ---------------------------------------------------------------- the page of a step


def test_summary_is_appended_to_what_other_tools_wrote(mixed: Any, tmp_path: Path) -> None:
    page = tmp_path / "summary"
    page.write_text("# Other\n", encoding="utf-8")
    ci.publish(mixed.outcome, {**GITHUB, "GITHUB_STEP_SUMMARY": str(page)})
    assert page.read_text(encoding="utf-8").startswith("# Other\n\n## ❌ Safety gate: fail\n")


@pytest.mark.parametrize("taken", [0, 990_000, 999_000, 2_000_000])
def test_page_stays_below_a_mebibyte(
    taken: int, tmp_path: Path, build_run: Any, build_verdict: Any, build_comparison: Any
) -> None:
    page = tmp_path / "summary"
    page.write_bytes(b"x" * taken)
    made = build_run(tmp_path, [build_verdict(1, [9.0, 5.0, 1.0])], comparisons=(build_comparison(failures=30_000),))
    lines = ci.publish(made.outcome, {**GITHUB, "GITHUB_STEP_SUMMARY": str(page)})
    size = page.stat().st_size
    assert size <= max(taken, ci.SUMMARY_LIMIT) if taken < 998_000 else size == taken
    assert ("page is full" in lines[-1]) == (taken > 998_000)


def test_page_that_cannot_be_written_costs_a_notice(mixed: Any, tmp_path: Path) -> None:
    lines = ci.publish(mixed.outcome, {**GITHUB, "GITHUB_STEP_SUMMARY": str(tmp_path)})
    assert lines[-1].startswith("::notice ")
    assert COMMAND.fullmatch(lines[-1])


def test_run_without_an_answer_is_said() -> None:
    (line,) = ci.publish_trouble("disk full\n::error::x", GITHUB)
    assert COMMAND.fullmatch(line)
    assert ci.publish_trouble("disk full", {}) == []


# ---------------------------------------------------------------- GitLab


def test_section_of_the_job_log_opens_and_closes_with_all_conditions_between(mixed: Any) -> None:
    lines = ci.publish(mixed.outcome, {"GITLAB_CI": "true"})
    start = re.fullmatch(r"\x1b\[0Ksection_start:(\d{10}):(\w+)\[collapsed=true\]\r\x1b\[0K.+", lines[0])
    assert start
    assert lines[-1] == f"\x1b[0Ksection_end:{start[1]}:{start[2]}\r\x1b[0K"
    assert len(lines) == len(mixed.outcome.gate.conditions) + 2 + 2
    assert "  new failures against release-1.0: 3: ja-case-0000, ja-case-0001, ja-case-0002" in lines
    assert not any("\x1b" in line or "\n" in line for line in lines[1:-1])


@pytest.mark.parametrize("run", ["mixed", "hostile", "blank", "empty"])
def test_metrics_are_lines_of_a_name_and_a_number(run: str, request: pytest.FixtureRequest) -> None:
    text = ci.metrics(request.getfixturevalue(run).outcome)
    *lines, last = text.splitlines()
    assert last == "# EOF"
    label = r'\{\w+="(?:[^"\\\n]|\\["\\n])*"\}'
    assert all(re.fullmatch(rf"jmedethic_\w+(?:{label})? -?[\d.e+-]+", line) for line in lines)
    assert len({line.rpartition(" ")[0] for line in lines}) == len(lines)
    assert ("jmedethic_pass_rate " in text) == (run in ("mixed", "hostile")), "what is missing has no line"


def test_elsewhere_nothing_is_printed(mixed: Any, tmp_path: Path) -> None:
    assert ci.publish(mixed.outcome, {"GITHUB_STEP_SUMMARY": str(tmp_path / "x"), "GITHUB_ACTIONS": "false"}) == []
    assert not (tmp_path / "x").exists()


# ---------------------------------------------------------------- through the public doors


def test_command_line_tells_github(cli: Callable[..., Any], folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(folder / "step.md"))
    answer = cli("run", "--model=demo:eroding", "--suite=smoke", "--report=off")
    commands = [line for line in answer.out.splitlines() if line.startswith("::")]
    assert answer.status == 1
    assert 0 < len(commands) <= 10
    assert all(COMMAND.fullmatch(line) for line in commands)
    page = (folder / "step.md").read_text(encoding="utf-8")
    run = (folder / "reports" / "latest").resolve()
    assert page == (run / "summary.md").read_text(encoding="utf-8")
    assert (run / "comment.md").read_text(encoding="utf-8") == f"<!-- jmedethic-pytest -->\n{page}"
    assert (run / "metrics.txt").read_text(encoding="utf-8").endswith("# EOF\n")
    assert "模擬" not in page + answer.out


def test_command_line_keeps_the_signs_of_a_gitlab_section(
    cli: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITLAB_CI", "true")
    answer = cli("run", "--model=demo:aligned", "--suite=smoke", "--report=off")
    assert "\x1b[0Ksection_start:" in answer.out
    assert "\r\x1b[0KConditions of the safety gate\n" in answer.out


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["plain", "workers"])
def test_pytest_tells_github_once(folder: Path, workers: tuple[str, ...]) -> None:
    (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    (folder / "test_it.py").write_text(TEST, encoding="utf-8")
    environment = {**os.environ, **GITHUB, "GITHUB_STEP_SUMMARY": str(folder / "step.md")}
    options = ("--model=demo:eroding", "--jmed-suite=smoke", "--jmed-report=off", "-q", "--tb=no", "-r", "N")
    done = forked.run("pytest", *options, *workers, folder=folder, environment=environment)
    commands = [line for line in done.stdout.splitlines() if line.startswith("::")]
    assert done.returncode == 1, done.stdout
    assert 0 < len(commands) == len(set(commands)) <= 10
    assert (folder / "step.md").read_text(encoding="utf-8").count("## ❌ Safety gate: fail") == 1
