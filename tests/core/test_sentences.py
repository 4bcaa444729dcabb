"""One catalogue of sentences: both languages, the same values, and every one used."""

from __future__ import annotations

import re
from pathlib import Path
from string import Formatter
from typing import get_args

import pytest

from jmedethic_pytest import data
from jmedethic_pytest.analysis.table import NOT_EVALUATED
from jmedethic_pytest.core.records import Condition
from jmedethic_pytest.core.run_info import RunInfo
from jmedethic_pytest.core.sentences import FILES, Said, catalogue, changed, in_language, joined, laid, named, say
from jmedethic_pytest.core.status import STATUSES
from jmedethic_pytest.core.vocabulary import HarmClass, Persona

PACKAGE = Path(data.__file__).parents[1]
CATALOGUE = catalogue()
JAPANESE = re.compile("[\u3040-\u30ff\u4e00-\u9fff]")
NAME = re.compile(r'"([a-z_0-9]+(?:\.[a-z_]+)*)"')
BUILT = re.compile(r'(?:say\(|told\(|known = )f"([a-z_.]+)\{')
"""Names of which only the beginning stands in the code."""


def test_both_languages_say_the_same_values() -> None:
    for name, text in CATALOGUE.items():
        assert text.keys() == {"en", "ja"}, name
        values = [{found for _, found, *_ in Formatter().parse(text[side]) if found} for side in ("en", "ja")]
        assert values[0] == values[1], name
        words = re.sub(r"\{[^}]*\}|[\W\d_]", "", text["ja"])
        assert JAPANESE.search(text["ja"]) or not words, name
        assert text["ja"].endswith("。") == text["en"].endswith("."), f"{name}: several may be joined"


def test_no_sentence_stands_in_two_files() -> None:
    assert sum(len(data.load(file)) for file in FILES) == len(CATALOGUE)


RECORDS: dict[str, set[str]] = {
    "persona": set(get_args(Persona)),
    "harm_class": set(get_args(HarmClass)),
    "status": {*STATUSES, NOT_EVALUATED},
    "run_status": set(get_args(RunInfo.model_fields["status"].annotation)),
    "digest": {"cases", "prompts", "thresholds", "transcripts"},
}


@pytest.mark.parametrize("kind", RECORDS)
def test_every_word_of_the_records_has_its_japanese(kind: str) -> None:
    known = {name.partition(".")[2] for name in CATALOGUE if name.partition(".")[0] == kind}
    assert known == RECORDS[kind]
    assert all(named(kind, key) == key for key in known), "English is what files hold"
    assert named(kind, "of-a-later-version") == "of-a-later-version"


def test_every_sentence_is_used() -> None:
    code = "".join(path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py"))
    kinds = (*RECORDS, "taken", "kind")
    whole, begun = set(NAME.findall(code)), {*BUILT.findall(code), *(f"{kind}." for kind in kinds)}
    unused = {name for name in CATALOGUE if name not in whole and not name.startswith(tuple(begun))}
    assert not unused


def test_sentence_is_english_and_keeps_its_japanese_in_a_record() -> None:
    detail = joined(
        [say("floor.figures", what=say("floor.mean", turn="T2"), shown=1, low=0, high=2, limit=6), say("floor.more")]
    )
    assert detail == "mean score of T2: 1, bounds [0, 2] (at least 6); run more cases"
    kept = Condition(name="mean[T2]", answer="fail", observed=1.0, limit=6.0, detail=detail)
    assert isinstance(kept.detail, Said)
    japanese = "T2 の平均スコア：1、信頼限界 [0, 2]（6 以上が必要）。会話を増やして実行してください"
    assert in_language(kept.detail, "ja") == japanese
    stored = Condition.model_validate_json(kept.model_dump_json())
    assert stored == kept
    assert in_language(stored.detail, "ja") == detail  # what a file holds is English, and stays so


def test_space_stands_between_japanese_and_foreign_letters_only() -> None:
    facts = {"before": 1, "now": 2}
    assert in_language(say("differ", what="temperature", **facts), "ja").startswith("temperature が異なります")
    assert in_language(say("differ", what=say("differ.judges"), **facts), "ja").startswith("審査モデルが異なります")
    speaker = say("place.persona", key=named("persona", "nurse"))
    worse = say("doubt.place", what=speaker, change="-3.07", cases=23)
    assert worse == "worse for certain under persona nurse: lowest turn -3.07 in 23 cases"
    assert in_language(worse, "ja") == "話者「看護師」で確実に悪化：23 件で最低ターンが -3.07"
    place = say("place.guideline", key="JMA-01")
    assert in_language(say("doubt.uncleared", what=place, missing=3), "ja").startswith("指針 JMA-01 は問題なし")


def test_columns_count_two_for_a_japanese_letter() -> None:
    row = laid("{label:<12}|{figure:>6}|{name:>4}", label=say("row.minimum"), figure="-", name="モデル")
    assert row == "lowest turn |     -| モデル"
    assert in_language(row, "ja") == "最低ターン  |     -|モデル"


def test_change_of_a_sentence_keeps_both_sides() -> None:
    assert in_language(changed(say("answer.fail"), str.upper), "ja") == "不合格"
    assert changed(say("answer.fail"), str.upper) == "FAIL"
    assert changed("plain", str.upper) == "PLAIN"


def test_text_of_a_server_is_put_in_as_it_is() -> None:
    said = say("unlike.told", key="{0} {key}")
    assert "{0} {key}" in said
    assert "{0} {key}" in said.ja
