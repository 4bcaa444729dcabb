"""Whatever lies in a run or a baseline: it is read, or refused with its place; never a traceback, never a new pass."""

from __future__ import annotations

import copy
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jmedethic_pytest.config.tables import Thresholds
from jmedethic_pytest.core.errors import ConfigError, StoreError
from jmedethic_pytest.core.files import compact_digest
from jmedethic_pytest.gate.outcome import load
from jmedethic_pytest.reports import markdown
from jmedethic_pytest.reports.terminal.summary import summary_lines
from jmedethic_pytest.store import baselines
from jmedethic_pytest.store import runs as run_files
from jmedethic_pytest.store import scores as run_scores

RECORDED = Path(__file__).parent / "schema1"
REGRESSED = sorted(path.name for path in (RECORDED / "runs").iterdir())[0]
RULES = Thresholds.model_validate(
    {"schema_version": 1, "gate": {"min_cases": 1, "min_strategy_cases": 1, "pass_rate": 0.999}}
)
"""Rules under which the recorded run must not pass; it has failed conversations."""
ODD = st.sampled_from(
    [
        None,
        True,
        -1,
        0,
        1,
        10**9,
        10**400,
        0.5,
        1e308,
        "",
        "x",
        "JMA-99",
        "S9",
        "demo",
        "\x1b[2J",
        [],
        [None],
        {},
        {"a": 1},
    ]
)


def _places(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield where something stands inside a value."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield (*place, key)
        yield from _places(inner, (*place, key))


def _changed(data: st.DataObject, content: Any) -> Any:
    """Return a value with something inside replaced or taken out."""
    place = data.draw(st.sampled_from(list(_places(content))))
    changed = copy.deepcopy(content)
    table = changed
    for key in place[:-1]:
        table = table[key]
    if isinstance(table, dict) and data.draw(st.booleans()):
        del table[place[-1]]
    else:
        table[place[-1]] = data.draw(ODD)
    return changed


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(shutil.copytree(RECORDED, tmp_path_factory.mktemp("fuzz") / "reports")) / "runs" / REGRESSED


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_changed_run_is_read_or_refused_and_never_begins_to_pass(run: Path, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(["run.json", "verdicts.jsonl"]))
    path = run / name
    before = path.read_text(encoding="utf-8")
    head, _, rest = (before, "", "") if name == "run.json" else before.partition("\n")
    text = json.dumps(_changed(data, json.loads(head)))
    path.write_text(text if name == "run.json" else f"{text}\n{rest}", encoding="utf-8")
    try:
        outcome = load(run, rules=RULES)
        assert outcome.gate.answer != "pass"
        summary_lines(outcome)
        markdown.render(outcome)
        run_scores.read(run)
    except StoreError as error:
        told = str(error)
        assert told.startswith(str(run)), told
    finally:
        path.write_text(before, encoding="utf-8")


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_changed_baseline_is_read_or_refused_whatever_its_digest(run: Path, data: st.DataObject) -> None:
    content = json.loads((RECORDED / "baselines" / "before.json").read_text(encoding="utf-8"))
    changed = _changed(data, content)
    if isinstance(changed, dict) and changed.pop("digest", None) is not None:
        changed["digest"] = compact_digest(changed)
    path = run.parent.parent / "baselines" / "changed.json"
    path.write_text(json.dumps(changed), encoding="utf-8")
    try:
        baselines.read(path)
    except ConfigError as error:
        told = str(error)
        assert told.startswith(str(path)), told


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"target": {}}, "target"),
        ({"target": {"model": "", "kind": "x"}}, "target"),
        ({"digests": {}}, "digests"),
        ({"judges": [{}]}, "judges"),
        ({"tokens": {}, "calls": {"target m": 1}}, "tokens"),
        ({"selection": {"turns": "two"}}, "selection"),
        ({"selected": -5}, "selected"),
        ({"vocabulary": {"guidelines": [{}]}}, "vocabulary"),
        ({"vocabulary": {"guidelines": ["x"]}}, "vocabulary"),
        ({"vocabulary": {"strategies": 5}}, "vocabulary"),
    ],
)
def test_run_that_lacks_what_every_run_has_is_damage(
    cli: Callable[..., Any], run: Path, change: dict[str, Any], told: str
) -> None:
    path = run / "run.json"
    before = path.read_text(encoding="utf-8")
    path.write_text(json.dumps({**json.loads(before), **change}), encoding="utf-8")
    try:
        with pytest.raises(StoreError, match=rf"run\.json: damaged: [^\n]*{told}"):
            run_files.read_info(run)
        if "target" in change or "vocabulary" in change:
            done = cli("gate", run)
            assert (done.status, done.out) == (6, "")
            assert done.err.startswith(f"ERROR: {path}: damaged: ")
    finally:
        path.write_text(before, encoding="utf-8")


@pytest.mark.parametrize("text", ["[" * 5_000, '{"a":' * 5_000, "[]", "", "\0", '{"schema_version": ' + "9" * 5_000])
def test_file_that_is_no_record_is_damage_wherever_it_lies(run: Path, text: str) -> None:
    for name in ("run.json", "verdicts.jsonl"):
        before = (run / name).read_text(encoding="utf-8")
        (run / name).write_text(f"{text}\n", encoding="utf-8")
        with pytest.raises(StoreError, match=rf"{name}(:1)?: damaged: "):
            load(run)
        (run / name).write_text(before, encoding="utf-8")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda verdict: verdict["case"].update(guideline="JMA-99"), "guideline 'JMA-99' is none of this run's"),
        (lambda verdict: verdict["case"].update(strategy="S9"), "strategy 'S9' is none of this run's"),
        (lambda verdict: verdict.update(planned_turns=10**9), "planned_turns"),
        (lambda verdict: verdict.update(planned_turns=0, turns=[]), "planned_turns"),
        (lambda verdict: verdict.update(repeat=-1), "repeat"),
        (lambda verdict: verdict["turns"][0].update(scores=[]), "is not the mean"),
        (lambda verdict: verdict["turns"][0].update(scores=verdict["turns"][0]["scores"] * 2), "T0 has 4 scores"),
    ],
)
def test_verdict_that_no_run_can_have_is_damage(
    run: Path, change: Callable[[dict[str, Any]], object], told: str
) -> None:
    """For whoever reads the whole of it, and for who reads the scores alone."""
    path = run / "verdicts.jsonl"
    before = path.read_text(encoding="utf-8")
    first, _, rest = before.partition("\n")
    verdict = json.loads(first)
    change(verdict)
    path.write_text(f"{json.dumps(verdict)}\n{rest}", encoding="utf-8")
    try:
        for read in (lambda: list(run_files.read_verdicts(run)), lambda: run_scores.read(run)):
            with pytest.raises(StoreError, match=rf"verdicts\.jsonl:1: damaged: [^\n]*{told}"):
                read()
    finally:
        path.write_text(before, encoding="utf-8")


def test_folder_of_a_run_is_for_its_owner_alone_unless_shared(tmp_path: Path) -> None:
    for shared, mode in ((False, 0o700), (True, 0o755)):
        store = run_files.RunStore(tmp_path, f"run-{shared}", shared=shared)
        store.close()
        assert store.path.stat().st_mode & 0o777 & ~mode == 0
        assert bool(store.path.stat().st_mode & 0o055) is shared
