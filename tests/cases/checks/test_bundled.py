"""The bundled benchmark passes; a copy of it with one fault of each kind planted is faulted for each of them."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from jmedethic_pytest.cases.checks import checks, findings, manifest
from jmedethic_pytest.cases.files import bundled_dir
from jmedethic_pytest.cli.main import main
from jmedethic_pytest.core.records import Case

Data = dict[str, Any]
By = dict[str, Data]


def _turn(case_id: str, index: int, edit: Callable[[str], str]) -> Callable[[By], None]:
    def change(cases: By) -> None:
        cases[case_id]["turns"][index] = edit(cases[case_id]["turns"][index])

    return change


def _fields(case_id: str, **values: Any) -> Callable[[By], None]:
    return lambda cases: cases[case_id].update(values)


def _both(stem: str, **values: Any) -> Callable[[By], None]:
    def change(cases: By) -> None:
        for locale in ("ja", "en"):
            cases[f"{locale}-{stem}"].update(values)

    return change


def _remove(*ids: str) -> Callable[[By], None]:
    def change(cases: By) -> None:
        for case_id in ids:
            del cases[case_id]

    return change


def _same_story(cases: By) -> None:
    cases["ja-jma05-s6-01"]["turns"][1:] = cases["ja-jma06-s6-01"]["turns"][1:]


def _openings(cases: By) -> None:
    for case in _japanese_core(cases)[30:70]:
        case["turns"][2] = f"それでは本題ですが、{case['turns'][2]}"


def _closings(cases: By) -> None:
    for case in _japanese_core(cases)[300:330]:
        case["turns"][2] += "どうぞよろしく頼みます。"


def _japanese_core(cases: By) -> list[Data]:
    return [case for case in cases.values() if case["locale"] == "ja" and not case.get("twin_of")]


def _second_in_a_cell(cases: By) -> None:
    cases["ja-jma11-s2-03"] = {**deepcopy(cases["ja-jma11-s2-01"]), "id": "ja-jma11-s2-03"}


def _rotation(cases: By) -> None:
    cases["ja-jma13-s6-01"]["suites"] = ["core"]
    cases["ja-jma13-s1-01"]["suites"] = ["core", "smoke"]


def _twin_asks_the_same(cases: By) -> None:
    cases["ja-jma60-s1-01-twin"]["turns"][2] = cases["ja-jma60-s1-01"]["turns"][2]


class Plant(NamedTuple):
    """A fault and the finding it must lead to."""

    change: Callable[[By], None]
    check: str
    where: str
    field: str
    says: str


PLANTS = {
    "same story": Plant(_same_story, "similarity.duplicate", "ja-jma05-s6-01", "T1+T2", "ja-jma06-s6-01"),
    "opening": Plant(_openings, "variety.opening", "ja", "T2 opening", "それでは本題ですが"[:8]),
    "closing": Plant(_closings, "variety.closing", "ja", "T2 closing", "ぞよろしく頼みます。"),
    "empty cell": Plant(
        _remove("ja-jma10-s2-01", "en-jma10-s2-01"), "balance.core", "JMA-10 S2", "", "0 ja cases in this cell"
    ),
    "once in full": Plant(
        _remove("ja-jma14-s2-02", "en-jma14-s2-02"), "balance.full", "JMA-14 S2", "", "1 ja cases in this cell"
    ),
    "full cell": Plant(_second_in_a_cell, "balance.core", "JMA-11 S2", "", "ja-jma11-s2-01, ja-jma11-s2-03"),
    "no smoke": Plant(
        _fields("ja-jma12-s5-01", suites=["core"]), "balance.smoke", "JMA-12", "suites", "0 ja cases in smoke"
    ),
    "rotation": Plant(_rotation, "balance.smoke", "ja-jma13-s1-01", "suites", "smoke holds S1 for JMA-13"),
    "twin missing": Plant(_remove("ja-jma20-s4-01-twin"), "balance.twins", "JMA-20", "", "1 ja twins"),
    "twins uneven": Plant(
        _remove("ja-jma22-s2-01-twin", "ja-jma29-s2-01-twin"), "balance.twins", "twins ja", "strategy", "S2 17"
    ),
    "smoke outside core": Plant(
        _fields("en-jma14-s7-01", suites=["smoke"]), "balance.suites", "en-jma14-s7-01", "suites", "suites smoke"
    ),
    "twin in core": Plant(
        _fields("en-jma15-s1-01-twin", suites=["twins", "core"]),
        "balance.suites",
        "en-jma15-s1-01-twin",
        "suites",
        "core",
    ),
    "unknown suite": Plant(
        _fields("en-jma16-s1-01", suites=["core", "extra"]), "balance.suites", "en-jma16-s1-01", "suites", "extra"
    ),
    "id": Plant(_both("jma17-s3-01", strategy="S4"), "alignment.id", "ja-jma17-s3-01", "id", "strategy S4"),
    "no persona": Plant(_both("jma18-s1-01", persona=None), "alignment.labels", "en-jma18-s1-01", "persona", "empty"),
    "no question": Plant(
        _fields("ja-jma19-s1-01", question=""), "alignment.labels", "ja-jma19-s1-01", "question", "empty"
    ),
    "twin question": Plant(
        _fields("ja-jma21-s6-01-twin", question="手紙を書いてほしい。"),
        "alignment.labels",
        "ja-jma21-s6-01-twin",
        "question",
        "no harmful request",
    ),
    "model answers": Plant(
        _fields("ja-jma23-s1-01", reference=["承知しました。こちらの内容でお作りします。"]),
        "alignment.labels",
        "ja-jma23-s1-01",
        "reference",
        "replies",
    ),
    "labels differ": Plant(
        _fields("en-jma24-s2-01", harm_class="genetics"), "alignment.labels", "ja-jma24-s2-01", "harm_class", "genetics"
    ),
    "one language": Plant(_remove("en-jma25-s3-01"), "alignment.locale", "ja-jma25-s3-01", "", "no en form"),
    "numbers": Plant(
        _turn("ja-jma26-s3-01", 2, lambda text: text + "全部で987件です。"),
        "alignment.numbers",
        "ja-jma26-s3-01",
        "T2",
        "987",
    ),
    "turns": Plant(
        lambda cases: cases["en-jma27-s3-01"].update(
            turns=cases["en-jma27-s3-01"]["turns"][:2], expected=cases["en-jma27-s3-01"]["expected"][:2]
        ),
        "alignment.turns",
        "ja-jma27-s3-01",
        "turns",
        "en-jma27-s3-01 has 2",
    ),
    "no counterpart": Plant(
        _fields("ja-jma57-s1-01-twin", twin_of="jma99-s1-01"),
        "alignment.twin",
        "ja-jma57-s1-01-twin",
        "twin_of",
        "ja-jma99-s1-01 does not exist",
    ),
    "twin T0": Plant(
        _turn("ja-jma58-s3-01-twin", 0, lambda text: "はじめまして。" + text),
        "alignment.twin",
        "ja-jma58-s3-01-twin",
        "T0",
        "differs from T0 of ja-jma58-s3-01",
    ),
    "twin persona": Plant(
        _fields("ja-jma59-s6-01-twin", persona="lawyer"), "alignment.twin", "ja-jma59-s6-01-twin", "persona", "lawyer"
    ),
    "twin T2": Plant(_twin_asks_the_same, "alignment.twin", "ja-jma60-s1-01-twin", "T2", "the same as ja-jma60-s1-01"),
    "agent": Plant(
        _turn("en-jma61-s1-01", 2, lambda text: text + " It needs potassium chloride."),
        "policy.agent",
        "en-jma61-s1-01",
        "T2",
        "potassium chloride",
    ),
    "short": Plant(
        _turn("en-jma62-s1-01", 1, lambda _: "And then?"), "turns.length", "en-jma62-s1-01", "T1", "9 characters"
    ),
    "file": Plant(lambda _: None, "manifest.changed", "core.ja.jsonl", "", "sha256"),
    "case": Plant(lambda _: None, "manifest.changed", "en-jma62-s1-01", "", "sha256"),
    "vanished id": Plant(lambda _: None, "manifest.vanished", "ja-jma10-s2-01", "", "gone"),
    "new id": Plant(lambda _: None, "manifest.new", "ja-jma11-s2-03", "", "not in the manifest"),
}


def _validate(folder: Path | None) -> tuple[int, list[Data]]:
    """Return exit status and findings of ``jmedethic cases validate``, outside of any single test."""
    arguments = [] if folder is None else ["--cases", str(folder)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["jmedethic", "cases", "validate", "--json", *arguments])
        patch.setattr(sys, "stdout", stream := StringIO())
        with pytest.raises(SystemExit) as end:
            main()
    return int(end.value.code or 0), json.loads(stream.getvalue())["findings"]


@contextmanager
def _cases_looked_at_once() -> Iterator[None]:
    """Keep what the checks of one case find: the copy repeats all but a few, and these checks are most of the work."""
    known: dict[tuple[str, Case], list[findings.Finding]] = {}

    def once_a_case(check: Callable[[Case], Iterable[findings.Finding]]) -> Callable[[Case], list[findings.Finding]]:
        def found(case: Case) -> list[findings.Finding]:
            key = check.__module__, case
            if key not in known:
                known[key] = list(check(case))
            return known[key]

        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checks, "_OF_ONE_CASE", tuple(map(once_a_case, checks._OF_ONE_CASE)))
        yield


def _plant(folder: Path, bundled_files: dict[str, list[Data]]) -> Path:
    """Write a copy of the benchmark that holds every plant."""
    earlier = manifest.read(bundled_dir())
    assert earlier is not None
    manifest.write(folder, earlier)
    home = {case["id"]: name for name, cases in bundled_files.items() for case in cases}
    cases = {case["id"]: deepcopy(case) for members in bundled_files.values() for case in members}
    for plant in PLANTS.values():
        plant.change(cases)
    for name in bundled_files:
        lines = [json.dumps(case) for case_id, case in cases.items() if home.get(case_id, "core.ja.jsonl") == name]
        (folder / name).write_text("\n".join(lines), "utf-8")
    return folder


@pytest.fixture(scope="module")
def validated(
    bundled_files: dict[str, list[Data]], tmp_path_factory: pytest.TempPathFactory, once: Callable[..., Any]
) -> dict[str, tuple[int, list[Data]]]:
    """Return what ``validate`` says of the benchmark and of the copy that holds every plant."""

    def validate() -> dict[str, tuple[int, list[Data]]]:
        folder = _plant(tmp_path_factory.mktemp("planted"), bundled_files)
        with _cases_looked_at_once():
            return {"bundled": _validate(None), "planted": _validate(folder)}

    return once("validated", validate)


def test_the_bundled_benchmark_has_no_findings(validated: dict[str, tuple[int, list[Data]]]) -> None:
    assert validated["bundled"] == (0, [])


@pytest.mark.parametrize("plant", PLANTS.values(), ids=PLANTS)
def test_a_planted_fault_is_found_and_named(plant: Plant, validated: dict[str, tuple[int, list[Data]]]) -> None:
    status, findings = validated["planted"]
    assert status == 1
    matching = [
        finding
        for finding in findings
        if (finding["check"], finding["where"], finding["field"]) == (plant.check, plant.where, plant.field)
    ]
    assert any(plant.says in finding["found"] for finding in matching), matching
    assert all(finding["advice"] for finding in matching)
