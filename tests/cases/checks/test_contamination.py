"""The canary: a benchmark whose files lack it is told so, and no case is another one for having it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from jmedethic_pytest.cases import canary
from jmedethic_pytest.cases import files as case_files
from jmedethic_pytest.cases.checks import checks, contamination
from jmedethic_pytest.core.records import Case
from support.branched import make_branched


def _write(file: Path, *canaries: str) -> None:
    cases = [
        {**make_branched(number), "id": f"en-{file.stem}-{number}", "canary": text}
        for number, text in enumerate(canaries)
    ]
    file.write_text("".join(json.dumps(case) + "\n" for case in cases), encoding="utf-8")


def test_a_file_without_a_guid_is_named(tmp_path: Path) -> None:
    _write(tmp_path / "marked.jsonl", canary.of_a_build("mine", "digest"))
    _write(tmp_path / "bare.jsonl", canary.ours(), "", "no GUID in here")
    (found,) = contamination.check(tmp_path)
    assert (found.check, found.where) == ("canary.missing", "bare.jsonl")
    assert "2 cases (en-bare-1, ...)" in found.found
    assert not [item for item in checks.run(case_files.load([tmp_path])) if item.check.startswith("canary")]


def test_ours_stands_in_every_bundled_case() -> None:
    assert {case.canary for case in case_files.load()} == {canary.ours()}


def test_a_case_is_the_same_with_and_without_it() -> None:
    def digest(**more: Any) -> str:
        return case_files.case_digest(Case.model_validate({**make_branched(), **more}))

    assert digest() == digest(canary=canary.ours())


def test_every_built_benchmark_has_a_guid_of_its_own() -> None:
    marks = {canary.of_a_build(name, digest) for name in "ab" for digest in "cd"}
    assert len(marks) == 4
    assert canary.ours() not in marks
    assert canary.of_a_build("a", "c") in marks
