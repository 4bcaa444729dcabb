"""Case files: every bad line is reported, with its place, before anything is run."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from jmedethic_pytest.cases import files as case_files
from jmedethic_pytest.core.errors import ConfigError
from jmedethic_pytest.core.records import Case

Line = Callable[..., str]
Write = Callable[..., Path]


_FORKED = {"turns_if_refused": ["x"], "turns_if_complied": ["y"]}


def problems(*paths: Path) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        case_files.load(list(paths))
    return caught.value.problems


@pytest.mark.parametrize(
    ("changes", "field", "value", "allowed"),
    [
        ({"id": "JA-A"}, "'id'", "JA-A", "[a-z0-9]"),
        ({"id": "ja-" + "a" * 46}, "'id'", "ja-aaa", "47"),
        ({"id": "ja-a\n"}, "'id'", "ja-a", "pattern"),
        ({"id": ""}, "'id'", "''", "pattern"),
        ({"id": "ja-é"}, "'id'", "é", "pattern"),
        ({"id": "ja-１"}, "'id'", "１", "pattern"),
        ({"id": "en-a"}, "'id'", "en-a", "'ja-'"),
        ({"locale": "fr"}, "'locale'", "fr", "Languages: ja, en"),
        ({"guideline": "JMA-99"}, "'guideline'", "JMA-99", "JMA-01"),
        ({"strategy": "S8"}, "'strategy'", "S8", "S7"),
        ({"turns": []}, "'turns'", "[]", "at least 1"),
        ({"turns": "one text"}, "'turns'", "one text", "array"),
        ({"turns": ["x"] * 11}, "'turns'", "x", "at most 10"),
        ({"turns": ["x", 2]}, "'turns.1'", "2", "string"),
        ({"persona": "wizard"}, "'persona'", "wizard", "'patient'"),
        ({"harm_class": "other"}, "'harm_class'", "other", "'consent'"),
        ({"expected": ["only one"]}, "'expected'", "1 entries", "3 turns"),
        ({"turns_if_refused": ["x"]}, "'turns_if_complied'", "0 turns", "1 in 'turns_if_refused'"),
        ({**_FORKED, "expected_if_refused": ["x", "y"]}, "'expected_if_refused'", "2 entries", "1 turns"),
        ({**_FORKED, "expected": ["x"] * 3}, "'expected_if_refused'", "fill in both", "'expected'"),
        ({**_FORKED, "turns": ["x"] * 10}, "'turns_if_refused'", "11 turns", "at most 10"),
        ({**_FORKED, "reference": ["x"]}, "'reference'", "must be empty", "choose the branch"),
        ({"schema_version": 2}, "'schema_version'", "2", "1"),
        ({"suites": "core"}, "'suites'", "core", "array"),
    ],
)
def test_bad_field_is_reported_with_file_line_value_and_what_is_allowed(
    case_line: Line, case_file: Write, changes: dict[str, object], field: str, value: str, allowed: str
) -> None:
    file = case_file(case_line(id="ja-good"), case_line(**changes))
    (text,) = problems(file)
    assert text.startswith(f"{file}:2: field {field}")
    assert value in text
    assert allowed in text


@pytest.mark.parametrize("blank", ["", "  ", "\n\t", "\u3000"])
def test_blank_turn_is_reported(case_line: Line, case_file: Write, blank: str) -> None:
    assert any(":1: field 'turns.1'" in text for text in problems(case_file(case_line(turns=["a", blank, "c"]))))


@pytest.mark.parametrize("field", ["id", "locale", "guideline", "strategy", "turns"])
def test_missing_field_is_reported(case_line: Line, case_file: Write, field: str) -> None:
    content = json.loads(case_line())
    del content[field]
    file = case_file(json.dumps(content))
    assert problems(file) == [f"{file}:1: field {field!r} is missing."]


@pytest.mark.parametrize(
    ("field", "suggestion"), [("trns", "turns"), ("guidline", "guideline"), ("Strategy", "strategy")]
)
def test_unknown_field_gets_a_suggestion(case_line: Line, case_file: Write, field: str, suggestion: str) -> None:
    file = case_file(case_line(**{field: "x"}))
    assert problems(file) == [f"{file}:1: unknown field {field!r}. Did you mean {suggestion!r}?"]


@pytest.mark.parametrize(
    "line", ["[]", "5", "null", '"text"', "nonsense", '{"id": "ja-a"', "{} {}", "id,locale", "{'id': 1}"]
)
def test_line_that_is_no_json_object_is_reported(case_line: Line, case_file: Write, line: str) -> None:
    file = case_file(case_line(), line)
    assert all(text.startswith(f"{file}:2: ") for text in problems(file))


@pytest.mark.parametrize(
    "line", [b'{"id": "ja-a\xff"}\n', '{"question": "診療"}'.encode("cp932") + b"\n", '{"id": "ja-a"}'.encode("utf-16")]
)
def test_line_that_is_not_utf_8_is_reported(case_line: Line, case_file: Write, line: bytes) -> None:
    file = case_file(case_line(), line)
    found = problems(file)
    assert found
    assert all(f"{file}:" in text for text in found)


def test_every_bad_line_is_reported_at_once(case_line: Line, case_file: Write) -> None:
    good = [case_line(id=f"ja-good-{n}") for n in range(3)]
    file = case_file(
        good[0], case_line(strategy="S8", guideline="JMA-00"), good[1], "oops", "", good[2], case_line(id="x")
    )
    places = [text.split(": ")[0] for text in problems(file)]
    assert places == [f"{file}:2", f"{file}:2", f"{file}:4", f"{file}:7"]


def test_very_many_problems_are_counted_not_listed(case_line: Line, case_file: Write) -> None:
    found = problems(case_file(*(case_line(strategy="S8") for _ in range(73))))
    assert len(found) == 51
    assert found[-1] == "... and 23 more problems in the case files."


def test_duplicate_ids_name_both_places_across_files(case_line: Line, case_file: Write) -> None:
    first = case_file(case_line(), case_line(id="ja-b"), name="a.jsonl")
    second = case_file(case_line(id="ja-c"), case_line(), name="b.jsonl")
    (text,) = problems(first, second)
    assert text.startswith(f"{second}:2: ")
    assert f"{first}:1" in text
    assert "ja-a-01" in text


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\xef\xbb\xbf", b"  \r\n\t\n"])
def test_empty_file_is_reported(case_file: Write, content: bytes) -> None:
    file = case_file(content)
    assert problems(file) == [f"{file}: the file holds no case. Each line must be one JSON object."]


def test_missing_path_and_empty_folder_are_reported_with_the_next_step(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    found = problems(tmp_path / "absent.jsonl", tmp_path / "empty")
    assert len(found) == 2
    assert all("--jmed-cases" in text for text in found)
    assert str(tmp_path / "absent.jsonl") in found[0]


def test_folder_named_like_a_case_file_is_reported(tmp_path: Path) -> None:
    (tmp_path / "folder.jsonl").mkdir()
    (text,) = problems(tmp_path)
    assert str(tmp_path / "folder.jsonl") in text


def test_byte_order_mark_windows_line_ends_and_blank_lines_are_read(case_line: Line, case_file: Write) -> None:
    lines = [case_line(id="ja-a"), "", case_line(id="ja-b")]
    file = case_file(b"\xef\xbb\xbf" + "\r\n".join(lines).encode())
    assert [case.id for case in case_files.load([file])] == ["ja-a", "ja-b"]


def test_folder_is_read_in_order_of_file_names(case_line: Line, case_file: Write) -> None:
    case_file(case_line(id="ja-2"), name="b.jsonl")
    file = case_file(case_line(id="ja-1"), name="a.jsonl")
    case_file("not read", name="notes.txt")
    assert [case.id for case in case_files.load([file.parent])] == ["ja-1", "ja-2"]


def test_texts_are_kept_as_written_but_for_outer_blanks(case_line: Line, case_file: Write) -> None:
    (case,) = case_files.load([case_file(case_line(turns=["  一行目\n二行目  ", "ＡＢＣ", "e\u0301"]))])
    assert case.turns == ("一行目\n二行目", "ＡＢＣ", "e\u0301")


@pytest.mark.parametrize("twin_of", ["", "  "])
def test_blank_twin_of_is_refused(case_line: Line, case_file: Write, twin_of: str) -> None:
    """A twin is kept out of the safety figures: an attack must not slip out of the gate through an empty field."""
    assert problems(case_file(case_line(twin_of=twin_of)))


def test_bundled_cases_load_and_every_twin_belongs_to_a_case() -> None:
    loaded = case_files.load()
    stems = {case.stem for case in loaded if case.twin_of is None}
    twins = [case for case in loaded if case.twin_of is not None]
    assert twins
    assert all(case.twin_of in stems for case in twins)
    assert all(("twins" in case.suites) == (case.twin_of is not None) for case in loaded)
    assert all(len(case.turns) == 3 == len(case.expected) for case in loaded)


def test_digest_follows_content_not_order(build_case: Callable[..., Case]) -> None:
    first, second = build_case("ja-a"), build_case("ja-b")
    assert case_files.digest([first, second]) == case_files.digest([second, first])
    assert case_files.digest([first]) != case_files.digest([first, second])
    assert case_files.digest([first]) != case_files.digest([build_case("ja-a", turns=("問い零", "問い一", "問い二。"))])
    assert case_files.digest([first]) != case_files.digest([build_case("ja-a", strategy="S2")])
