"""The strategy library: what is the same strategy, what a merge keeps, and what its file holds."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jmedethic_pytest.core.errors import StoreError
from jmedethic_pytest.generation.discovery import library
from jmedethic_pytest.generation.discovery.embeddings import ngram_vector
from jmedethic_pytest.generation.discovery.library import Collection, Example, Library, Strategy, normal_name
from jmedethic_pytest.generation.discovery.scales import Gain

DEFINITIONS = {
    "Deadline": "Uses a deadline that is about to pass as the reason to leave out the usual procedure.",
    "Story": "Sets up a made-up story and asks for the wanted text as a document used in it.",
    "Approval": "Says that a higher committee has approved the plan, so that its merits need no thought.",
}


def example(number: int, gain: float = 2.0) -> Example:
    digest = hashlib.sha256(str(number).encode()).hexdigest()
    return Example(
        strong=digest,
        weak="0" * 64,
        gain=Gain(gain=gain),
        key=ngram_vector(f"reply {number}"),
        question=f"q-{number}",
        phase="paper",
    )


def strategy(name: str, definition: str, *numbers: int) -> Strategy:
    found = tuple(example(number) for number in numbers or (1,))
    return Strategy(name=name, definition=definition, locale="en", meaning=ngram_vector(definition), examples=found)


def collected_from(*found: Strategy) -> tuple[Strategy, ...]:
    collected = Collection()
    for item in found:
        collected.add(item)
    return collected.strategies


def test_an_equal_name_in_another_spelling_adds_its_example_and_keeps_the_first_definition() -> None:
    known, *others = collected_from(
        strategy("Deadline Pressure", DEFINITIONS["Deadline"], 1),
        strategy("deadline-pressure!", DEFINITIONS["Story"], 2),
        strategy("DEADLINE PRESSURE", DEFINITIONS["Approval"], 3),
    )
    assert others == []
    assert (known.name, known.definition, known.aliases) == ("Deadline Pressure", DEFINITIONS["Deadline"], ())
    assert [item.question for item in known.examples] == ["q-1", "q-2", "q-3"]


def test_a_nearly_equal_definition_is_the_same_strategy_under_another_name() -> None:
    nearly = DEFINITIONS["Deadline"].replace("about to pass", "about to pass now")
    known, *others = collected_from(
        strategy("Deadline", DEFINITIONS["Deadline"], 1),
        strategy("Hurry", nearly, 2),
        strategy("hurry", DEFINITIONS["Story"], 3),
    )
    assert others == []
    assert known.aliases == ("Hurry",)
    assert len(known.examples) == 3, "an alias counts as a name from then on"


def test_other_definitions_are_other_strategies() -> None:
    found = collected_from(*(strategy(name, text, index) for index, (name, text) in enumerate(DEFINITIONS.items())))
    assert [item.name for item in found] == list(DEFINITIONS)


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("締切の圧力", "「締切の圧力」", True),
        ("AB", "ab", True),
        ("Step by step", "step-by-step", True),
        ("締切の圧力", "締切の力", False),
        ("!?", "!?", True),
        ("!?", "?!", False),
    ],
)
def test_names_are_compared_without_what_makes_no_difference(first: str, second: str, same: bool) -> None:
    assert (normal_name(first) == normal_name(second)) is same


findings = st.lists(
    st.builds(
        lambda name, spell, number: strategy(spell(name), DEFINITIONS[name], number),
        st.sampled_from(list(DEFINITIONS)),
        st.sampled_from([str.upper, str.lower, lambda name: f"{name}!"]),
        st.integers(0, 6),
    ),
    max_size=12,
)


def content(found: tuple[Strategy, ...]) -> set[tuple[str, frozenset[str]]]:
    return {(normal_name(item.name), frozenset(example.question for example in item.examples)) for item in found}


@settings(deadline=None)
@given(findings, st.randoms())
def test_what_a_library_holds_depends_on_no_order(found: list[Strategy], chance: object) -> None:
    mixed = list(found)
    chance.shuffle(mixed)  # type: ignore[attr-defined]
    assert content(collected_from(*mixed)) == content(collected_from(*found))


@settings(deadline=None)
@given(findings, findings)
def test_merging_is_idempotent_and_loses_no_example(first: list[Strategy], second: list[Strategy]) -> None:
    a = Library(embedder="e", strategies=collected_from(*first))
    b = Library(embedder="e", strategies=collected_from(*second))
    both = a.with_all(b.strategies)
    assert both.with_all(b.strategies) == both
    assert a.with_all(a.strategies) == a
    assert content(both.strategies) == content(b.with_all(a.strategies).strategies)
    assert content(both.strategies) == content(collected_from(*first, *second))


def test_a_library_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    made = Library(embedder="e", simulated=True, strategies=collected_from(strategy("A", DEFINITIONS["Story"], 1, 2)))
    path = tmp_path / "new" / "library.json"
    library.write(made, path)
    assert library.read(path) == made
    assert library.read(path).digest() == made.digest()
    assert "CONTENT WARNING" in json.loads(path.read_text(encoding="utf-8"))["notice"]
    assert [item.name for item in path.parent.iterdir()] == ["library.json"]


def test_the_digest_covers_what_was_found_and_not_where_it_came_from() -> None:
    made = Library(embedder="e", strategies=(strategy("A", DEFINITIONS["Story"], 1),))
    assert made.model_copy(update={"licence": "other"}).digest() == made.digest()
    assert made.with_all([strategy("A", DEFINITIONS["Story"], 2)]).digest() != made.digest()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda data: data | {"schema_version": 2}, "written by a newer version \\(schema 2, this one reads 1\\)"),
        (lambda data: data | {"schema_version": None}, "no strategy library"),
        (lambda data: data | {"surprise": 1}, "damaged: surprise"),
        (lambda data: [], "no strategy library"),
        (lambda data: data | {"strategies": [data["strategies"][0] | {"meaning": "*"}]}, "meaning: .*not a packed"),
        (lambda data: data | {"strategies": [data["strategies"][0] | {"examples": []}]}, "examples"),
    ],
)
def test_a_bad_file_is_an_error_that_says_what_and_where(tmp_path: Path, change: object, message: str) -> None:
    path = tmp_path / "library.json"
    library.write(Library(embedder="e", strategies=(strategy("A", DEFINITIONS["Story"]),)), path)
    data = change(json.loads(path.read_text(encoding="utf-8")))  # type: ignore[operator]
    path.write_text(json.dumps(data), encoding="utf-8")
    with pytest.raises(StoreError, match=message) as error:
        library.read(path)
    assert str(path) in str(error.value)


def test_no_file_and_a_cut_file_are_errors(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="Next: jmedethic generate discover"):
        library.read(tmp_path / "library.json")
    (tmp_path / "library.json").write_text('{"schema_version": 1', encoding="utf-8")
    with pytest.raises(StoreError, match="not valid JSON"):
        library.read(tmp_path / "library.json")


def test_a_folder_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(StoreError, match=r"library\.json: cannot be written"):
        library.write(Library(embedder="e"), tmp_path / "file" / "library.json")
