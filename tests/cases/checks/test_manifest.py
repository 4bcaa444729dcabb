"""The manifest is written, compared and continued; no id is lost or used again unseen."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jmedethic_pytest.cases import files as case_files
from jmedethic_pytest.cases.checks import manifest


@pytest.fixture
def folder(tmp_path: Path, plain: Callable[..., Any], write_cases: Callable[..., Path]) -> Path:
    """Return a folder with one case in each language."""
    for locale in ("ja", "en"):
        write_cases(plain(locale, suites=["core"]), name=f"core.{locale}.jsonl")
    return tmp_path


@pytest.fixture
def command(folder: Path, jmedethic: Callable[..., Any]) -> Callable[..., Any]:
    """Return ``command(*arguments)``: ``jmedethic cases manifest`` on the folder."""
    return lambda *arguments: jmedethic("cases", "manifest", "--cases", folder, *arguments)


def stated(folder: Path) -> dict[str, Any]:
    return json.loads((folder / manifest.NAME).read_text("utf-8"))


def test_first_manifest_says_what_is_there(folder: Path, command: Callable[..., Any]) -> None:
    assert command("--write").status == 0
    written, loaded = stated(folder), case_files.load([folder])
    assert (written["schema_version"], written["version"], written["licence"]) == (1, "1.0.0", "CC BY 4.0")
    assert "language model" in written["authorship"]
    assert written["counts"] == {"core": {"en": 1, "ja": 1}}
    assert written["digest"] == case_files.digest(loaded)
    assert set(written["files"]) == {"core.ja.jsonl", "core.en.jsonl"}
    assert written["cases"] == {case.id: case_files.case_digest(case) for case in loaded}
    assert [change["version"] for change in written["changes"]] == ["1.0.0"]
    assert command().status == 0


def test_writing_twice_changes_nothing(folder: Path, command: Callable[..., Any]) -> None:
    command("--write")
    before = (folder / manifest.NAME).read_bytes()
    command("--write")
    assert (folder / manifest.NAME).read_bytes() == before


def test_a_missing_manifest_is_named_with_the_command_that_writes_it(command: Callable[..., Any]) -> None:
    result = command()
    assert result.status == 1
    assert "manifest.missing" in result.out
    assert manifest.WRITE in result.out


@pytest.mark.parametrize("content", ["{", "{}", '{"schema_version": 2}', '{"schema_version": 1, "extra": 0}'])
def test_an_unreadable_manifest_is_named(content: str, folder: Path, command: Callable[..., Any]) -> None:
    (folder / manifest.NAME).write_text(content)
    result = command()
    assert result.status == 1
    assert "manifest.unreadable" in result.out
    assert command("--write").status == 4


def test_a_changed_case_is_named_with_its_file(
    folder: Path, command: Callable[..., Any], plain: Callable[..., Any], write_cases: Callable[..., Path]
) -> None:
    command("--write")
    write_cases(plain("ja", suites=["core"], fail_if="別の文"), name="core.ja.jsonl")
    result = command()
    assert result.status == 1
    assert "core.ja.jsonl: manifest.changed" in result.out
    assert "ja-jma01-s2-01: manifest.changed" in result.out
    assert "en-jma01-s2-01" not in result.out
    assert command("--write").status == 0
    assert command().status == 0


def test_other_bytes_with_the_same_cases_are_named_by_file_alone(folder: Path, command: Callable[..., Any]) -> None:
    command("--write")
    path = folder / "core.en.jsonl"
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")), indent=None, sort_keys=True), "utf-8")
    assert command().out.count("manifest.changed") == 1


@pytest.mark.parametrize("change", [{"digest": "0" * 64}, {"counts": {"core": {"ja": 2}}}])
def test_figures_edited_by_hand_are_found(change: dict[str, Any], folder: Path, command: Callable[..., Any]) -> None:
    command("--write")
    (folder / manifest.NAME).write_text(json.dumps({**stated(folder), **change}))
    assert "manifest.edited" in command().out


def test_a_new_file_and_its_case_are_named(
    command: Callable[..., Any], plain: Callable[..., Any], write_cases: Callable[..., Path]
) -> None:
    command("--write")
    write_cases(plain("ja", id="ja-jma01-s2-02"), name="more.jsonl")
    assert command().out.count("manifest.new") == 2


def test_a_vanished_id_stops_the_writing_and_says_how_to_go_on(folder: Path, command: Callable[..., Any]) -> None:
    command("--write")
    (folder / "core.en.jsonl").unlink()
    result = command("--write")
    assert result.status == 4
    assert "'en-jma01-s2-01' vanished" in result.err
    assert "--retire en-jma01-s2-01 --note" in result.err
    assert "en-jma01-s2-01: manifest.vanished" in command().out


def test_a_retired_id_is_never_used_again(folder: Path, command: Callable[..., Any]) -> None:
    command("--write")
    lost = (folder / "core.en.jsonl").read_bytes()
    (folder / "core.en.jsonl").unlink()
    assert "reason is missing" in command("--write", "--retire", "en-jma01-s2-01").err
    assert command("--write", "--retire", "en-jma01-s2-01", "--note", "Wrong law.").status == 0
    assert stated(folder)["retired"] == {"en-jma01-s2-01": "Wrong law."}
    assert command("--write").status == 0
    assert stated(folder)["retired"] == {"en-jma01-s2-01": "Wrong law."}
    (folder / "core.en.jsonl").write_bytes(lost)
    again = command("--write")
    assert again.status == 4
    assert "is retired (Wrong law.) and used again" in again.err
    assert "manifest.retired" in command().out


@pytest.mark.parametrize(
    ("name", "problem"), [("ja-jma01-s2-01", "still in the case files"), ("ja-jma99-s2-01", "is not in MANIFEST.json")]
)
def test_only_an_id_that_vanished_can_be_retired(name: str, problem: str, command: Callable[..., Any]) -> None:
    command("--write")
    result = command("--write", "--retire", name, "--note", "No.")
    assert result.status == 4
    assert problem in result.err


def test_a_new_version_needs_a_note_and_extends_the_change_log(folder: Path, command: Callable[..., Any]) -> None:
    command("--write")
    assert "--note" in command("--write", "--version", "1.1.0").err
    assert command("--write", "--version", "1.1.0", "--note", "Two texts mended.").status == 0
    assert [(entry["version"], entry["note"]) for entry in stated(folder)["changes"]] == [
        ("1.0.0", "First version."),
        ("1.1.0", "Two texts mended."),
    ]
    assert stated(folder)["version"] == "1.1.0"


def test_versions_are_compared_as_numbers(folder: Path, command: Callable[..., Any]) -> None:
    command("--write", "--version", "1.9.0")
    assert command("--write", "--version", "1.10.0", "--note", "Later.").status == 0
    older = command("--write", "--version", "1.2.0", "--note", "Earlier?")
    assert older.status == 4
    assert "1.2.0 is older than 1.10.0" in older.err
    assert stated(folder)["version"] == "1.10.0"


@pytest.mark.parametrize("version", ["1.0", "v1.0.0", "1.0.0-rc1", ""])
def test_a_version_that_is_none_is_refused(version: str, command: Callable[..., Any]) -> None:
    result = command("--write", "--version", version)
    assert result.status == 4
    assert "version" in result.err


@pytest.mark.parametrize("option", [("--version", "1.1.0"), ("--note", "A note."), ("--retire", "ja-x")])
def test_options_of_writing_are_refused_without_write(option: tuple[str, str], command: Callable[..., Any]) -> None:
    result = command(*option)
    assert result.status == 4
    assert "--write" in result.err


def test_a_file_has_no_manifest(folder: Path, jmedethic: Callable[..., Any]) -> None:
    result = jmedethic("cases", "manifest", "--cases", folder / "core.ja.jsonl")
    assert result.status == 4
    assert "not a folder" in result.err
