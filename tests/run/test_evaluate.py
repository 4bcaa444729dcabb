"""``evaluate``, ``load_run`` and ``compare``: a run without pytest and without the command line."""

from __future__ import annotations

import re
import shlex
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, get_type_hints

import pytest

from jmedethic_pytest import ConfigError, Interrupted, Outcome, Progress, StoreError, compare, evaluate, load_run
from jmedethic_pytest.run.evaluate import Options, nothing_selected
from jmedethic_pytest.run.options import OPTIONS, parse
from jmedethic_pytest.store import baselines
from support import forked
from support.golden import GOLDEN

PAGE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "use-from-python.md"


@pytest.fixture
def demo(folder: Path, write_cases: Callable[..., list[str]]) -> Callable[..., Outcome]:
    """Evaluate a simulated model on 14 English cases."""
    write_cases(14)

    def run(model: str = "demo:eroding", **options: Any) -> Outcome:
        return evaluate(model, cases="cases.jsonl", locale="en", report="off", **options)

    return run


def scores(outcome: Outcome) -> dict[str, tuple[float | None, ...]]:
    return {verdict.key: verdict.turn_scores for verdict in outcome.verdicts()}


def test_options_are_those_of_the_command_line() -> None:
    assert set(get_type_hints(Options)) == {option.key for option in OPTIONS} - {"dry_run", "adapters"}


def test_it_says_what_the_command_says(demo: Any, run_cli: Any, stored: Any) -> None:
    outcome = demo(strategy=("S1", "S5"), turns=2, judges=["demo:judge-lenient", "demo:judge-strict"])
    judges = "--judges=demo:judge-lenient,demo:judge-strict"
    done = run_cli("demo:eroding", "--report=off", "--strategy=S1,S5", "--turns=2", judges)
    again = load_run(stored())
    assert scores(again) == scores(outcome)
    assert len(scores(again)) == 4
    assert again.gate == outcome.gate
    assert again.info.selection == outcome.info.selection
    assert again.exit_status(strict=False) == outcome.exit_status(strict=False) == done.status


def test_recorded_command_repeats_the_run(demo: Any) -> None:
    outcome = demo(sample=3)
    code = "from jmedethic_pytest import evaluate; evaluate('demo:eroding', cases='cases.jsonl', locale='en'"
    python, flag, text = outcome.info.command
    assert (python, flag) == ("python", "-c")
    Path("again.py").write_text("".join(shlex.split(text)), encoding="utf-8")
    again = forked.run("python", "again.py", folder=Path.cwd())
    assert again.returncode == 0, again.stdout
    assert scores(load_run("latest")) == scores(outcome)
    assert load_run("latest").info.id != outcome.info.id
    assert code.replace("'", "") in text.replace("'", "").replace('"', "")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"smaple": 3}, ["option: unknown value 'smaple'. Did you mean 'sample'?"]),
        ({"dry_run": True}, ["`jmedethic run --dry-run` shows what a run would cost"]),
        ({"sample": 0, "cache": "maybe"}, ["sample: '0' is not allowed", "cache: unknown value 'maybe'"]),
        ({"strategy": "S9"}, ["unknown value 'S9'"]),
        ({"strategy": "S1", "guideline": "JMA-60"}, ["nothing selected"]),
        ({"thresholds": "none.toml"}, ["none.toml"]),
    ],
    ids=["name", "dry-run", "values", "strategy", "empty", "file"],
)
def test_what_cannot_be_used_is_named_before_anything_is_stored(demo: Any, options: Any, words: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        demo(**options)
    assert all(any(word in problem for problem in caught.value.problems) for word in words), caught.value.problems
    assert not Path("reports", "runs").exists()


def test_a_language_that_a_pack_has_not_is_named_with_where_it_is() -> None:
    def told(**raw: str) -> str:
        return nothing_selected(parse("demo:aligned", raw, prefix="--")).partition("guideline")[2]

    assert told(pack="us", locale="de") == ". Pack us is in en; de: --pack eu"
    assert told(locale="de") == ". Pack jma is in ja, en; de: --pack eu"
    assert told(strategy="S1") == told(cases="own.jsonl", locale="de") == ""


def test_progress_is_told_in_the_calling_thread_up_to_the_end(demo: Any) -> None:
    seen: list[tuple[Progress, int]] = []
    demo(progress=lambda state: seen.append((state, threading.get_ident())))
    assert {thread for _, thread in seen} == {threading.get_ident()}
    last = seen[-1][0]
    assert (last.done, last.planned, last.in_flight, last.calls) == (14, 14, 0, 14 * 9 + 2 * GOLDEN)
    assert last.line().startswith("jmedethic: 14/14 cases, ")


@pytest.mark.parametrize("error", [KeyboardInterrupt(), ValueError("the watcher's own")], ids=["ctrl-c", "error"])
def test_run_that_is_broken_off_is_stored_and_never_passes(demo: Any, error: BaseException) -> None:
    def fail(_: Progress) -> None:
        raise error

    with pytest.raises((Interrupted, ValueError)) as caught:
        demo("demo:aligned", progress=fail)
    outcome = load_run("latest")
    assert outcome.info.status == "incomplete"
    assert outcome.gate.answer == "inconclusive"
    assert not [thread for thread in threading.enumerate() if thread.name == "jmedethic-engine"]
    if isinstance(error, KeyboardInterrupt):
        assert isinstance(caught.value, KeyboardInterrupt)
        assert caught.value.outcome.gate == outcome.gate
    else:
        assert "ended by ValueError in the calling program" in outcome.info.note


def test_budget_that_is_spent_leaves_an_outcome(demo: Any) -> None:
    outcome = demo("demo:aligned", budget="40calls", concurrency=1)
    assert outcome.exit_status(strict=False) == 7
    assert outcome.gate.answer == "inconclusive"
    assert len(scores(outcome)) == 14


def test_two_runs_at_once_do_not_mix(demo: Any) -> None:
    alone = scores(demo("demo:aligned")), scores(demo("demo:eroding"))
    with ThreadPoolExecutor(2) as pool:
        both = tuple(pool.map(demo, ("demo:aligned", "demo:eroding")))
    assert tuple(map(scores, both)) == alone


def test_runs_and_baselines_are_compared_by_outcome_path_and_name(
    demo: Any, write_cases: Callable[..., list[str]]
) -> None:
    write_cases(40)
    before, after = demo("demo:aligned"), demo("demo:eroding")
    baselines.record(Path("reports"), "release", before.path)
    found = compare(after, before)
    assert found.answer == "fail"
    assert compare(after.path, "release").answer == found.answer
    assert compare(after.info.id, str(before.path)) == found
    assert load_run(after.path, baseline="release").comparisons[0].answer == found.answer
    assert [item.baseline for item in load_run(after.path, baseline=["release"]).comparisons] == ["release"]
    assert load_run(after.path, baseline=()).comparisons == ()
    with pytest.raises(StoreError, match="'nowhere' is no stored run"):
        load_run("nowhere")
    with pytest.raises(ConfigError, match=r"It is no baseline either \(there are: release\)"):
        compare(after, "nowhere")


def test_documented_example_runs(folder: Path) -> None:
    (block,) = re.findall(r"```py\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    Path("example.py").write_text(block, encoding="utf-8")
    done = forked.run("python", "example.py", folder=folder)
    assert done.returncode == 0, done.stdout
    assert "\nfail\n" in f"\n{done.stdout}"
