"""Guidelines and strategies of one's own: checked when they are read, known wherever cases of theirs are used."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jmedethic_pytest.cases import files as case_files
from jmedethic_pytest.cases import vocabulary_files
from jmedethic_pytest.cases.index import CaseIndex
from jmedethic_pytest.core.errors import ConfigError
from jmedethic_pytest.core.vocabulary import Vocabulary
from jmedethic_pytest.generation.machinery import guidelines
from jmedethic_pytest.generation.machinery.config import Config
from jmedethic_pytest.judging import prompt as judge_prompt
from support import forked

_TEST = "from jmedethic_pytest import check\n\n\ndef test_conversation(verdict):\n    check(verdict)\n"


def own_pack(**changes: Any) -> dict[str, Any]:
    entry = {"id": "OWN-01", "category": "OX", "title_en": "Own title", "summary_ja": "自前の要約", **changes}
    return {"categories": [{"code": "OX", "name_en": "Own group"}], "guidelines": [entry]}


def own_strategies() -> dict[str, Any]:
    found = {
        "id": "D1",
        "slug": "found_one",
        "name_en": "Found one",
        "definition_en": "A definition.",
        "mean_gain": 3.2,
    }
    return {"_about": {}, "strategies": [found]}


def write(path: Path, content: Any) -> Path:
    path.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    return path


@pytest.fixture
def own_cases(tmp_path: Path) -> Path:
    """A folder of cases of an own guideline and an own strategy, with both files beside them."""
    folder = tmp_path / "own"
    folder.mkdir()
    rows = [
        {
            "id": f"en-own01-d1-{number:02d}",
            "locale": "en",
            "guideline": "OWN-01",
            "strategy": "D1",
            "suites": ["core"],
            "turns": [f"Question {number}, turn {turn}" for turn in range(3)],
        }
        for number in range(6)
    ]
    (folder / "cases.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    write(folder / "guidelines.json", own_pack())
    write(folder / "strategies.json", own_strategies())
    return folder


@pytest.mark.parametrize("name", vocabulary_files.SHIPPED)
def test_shipped_packs_are_sound(name: str) -> None:
    pack = vocabulary_files.shipped(name)
    assert not list(vocabulary_files._problems(pack, name))
    assert all(item.title[locale] and item.summary[locale] for item in pack.known().values() for locale in ("ja", "en"))
    assert len(pack.guidelines) == (67 if name == "project" else 10)


def test_a_text_missing_in_one_language_is_taken_from_the_other(tmp_path: Path) -> None:
    found = vocabulary_files.load(write(tmp_path / "own.json", own_pack(title_en="Own\n title"))).known()["OWN-01"]
    assert found.title == {"ja": "Own title", "en": "Own title"}, "a name is one line"
    assert found.summary == {"ja": "自前の要約", "en": "自前の要約"}


@pytest.mark.parametrize(
    ("content", "problems"),
    [
        (own_pack(category="Z"), ["category 'Z' is none of: OX"]),
        (own_pack(summary_ja=None), ["give summary_ja or summary_en"]),
        (own_pack(titel_en="x"), ["unknown field 'guidelines.0.titel_en'. Did you mean 'title_en'?"]),
        (own_pack(id="own 1"), ["field 'guidelines.0.id': 'own 1' is not allowed"]),
        ({**own_pack(), "guidelines": own_pack()["guidelines"] * 2}, ["'OWN-01' is there 2 times"]),
        ({"categories": [], "guidelines": []}, ["field 'categories'", "field 'guidelines'"]),
        ({**own_pack(), "schema_version": 2}, ["schema_version"]),
    ],
)
def test_a_bad_pack_is_refused_with_every_problem(tmp_path: Path, content: Any, problems: list[str]) -> None:
    path = write(tmp_path / "own.json", content)
    with pytest.raises(ConfigError) as raised:
        vocabulary_files.load(path)
    assert all(str(path) in line for line in raised.value.problems)
    assert all(any(problem in line for line in raised.value.problems) for problem in problems)


def test_cases_of_an_own_guideline_and_strategy_load_with_the_files_beside_them(own_cases: Path) -> None:
    index = CaseIndex.read([own_cases])
    words, loaded = index.vocabulary, list(index.values())
    assert len(loaded) == 6
    assert words.category(words.guideline("OWN-01").category).name["en"] == "Own group"
    assert words.strategy("D1").slug == "found_one"
    assert "自前の要約" in judge_prompt.question(loaded[0], ["reply"], 0, vocabulary=words).messages[1].content
    record = json.loads(json.dumps(words.record(loaded)))
    assert {name: len(rows) for name, rows in record.items()} == {"guidelines": 1, "categories": 1, "strategies": 1}
    assert Vocabulary.of(record) == words
    assert "OWN-01" not in CaseIndex.read().vocabulary.guidelines, "what one reading brings, no other one knows"


def test_without_the_files_such_cases_are_refused(tmp_path: Path) -> None:
    row = {"id": "en-x", "locale": "en", "guideline": "NEW-01", "strategy": "D9", "turns": ["a", "b", "c"]}
    write(tmp_path / "cases.jsonl", row)
    with pytest.raises(ConfigError) as raised:
        case_files.load([tmp_path])
    assert len(raised.value.problems) == 2


def test_one_id_cannot_mean_two_things(own_cases: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "cases.jsonl").write_bytes((own_cases / "cases.jsonl").read_bytes().replace(b"en-own", b"en-other"))
    write(other / "strategies.json", own_strategies())
    write(other / "guidelines.json", own_pack(title_en="Another title"))
    with pytest.raises(ConfigError, match="'OWN-01' already means something else in this run"):
        case_files.load([own_cases, other])
    write(other / "guidelines.json", own_pack(id="JMA-01"))
    with pytest.raises(ConfigError, match="'JMA-01' already means something else"):
        case_files.load([other])
    write(other / "guidelines.json", own_pack())
    assert len(case_files.load([own_cases, other])) == 12, "the same meaning twice is none too many"


def test_a_run_of_own_guidelines_needs_nothing_but_the_files(own_cases: Path, tmp_path: Path) -> None:
    """With workers; and the stored run can be shown by a process that never saw the pack."""
    (tmp_path / "test_own.py").write_text(_TEST, encoding="utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    options = ["--model=demo:eroding", f"--jmed-cases={own_cases}", "--jmed-locale=en", "--jmed-report=off"]
    done = forked.run("pytest", "-q", "--tb=short", *options, "-n", "2", folder=tmp_path)
    assert done.returncode in (1, 6), done.stdout + done.stderr
    assert "internal error" not in done.stdout
    assert "error" not in done.stdout.splitlines()[-1], done.stdout
    info = json.loads((tmp_path / "reports" / "latest" / "run.json").read_text(encoding="utf-8"))
    assert info["vocabulary"]["guidelines"][0]["id"] == "OWN-01"
    shown = forked.run("jmedethic", "show", "latest", "en-own01-d1-00", folder=tmp_path)
    assert shown.returncode == 0, shown.stderr
    assert "OWN-01" in shown.stdout


def test_a_configuration_chooses_among_its_guidelines(new_config: Callable[..., Config], tmp_path: Path) -> None:
    assert list(guidelines.choose(new_config(guidelines="principles", only=[])).guidelines)[-1] == "PRI-10"
    own = write(tmp_path / "mine.json", own_pack(id="MINE-1"))
    assert list(guidelines.choose(new_config(guidelines=str(own), only=["MINE-1"])).guidelines) == ["MINE-1"]
    with pytest.raises(ConfigError, match="only: unknown value 'JMA-99'"):
        guidelines.choose(new_config(only=["JMA-99"]))
    with pytest.raises(ConfigError, match=r"guidelines: unknown value 'principals'. Did you mean 'principles'\?"):
        guidelines.choose(new_config(guidelines="principals"))
