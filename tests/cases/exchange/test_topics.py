"""Guidelines of a foreign list: they are clusters of their own, the same at every import, and never one of ours."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jmedethic_pytest.cases import vocabulary_files
from jmedethic_pytest.cases.exchange import topics
from jmedethic_pytest.cases.exchange.topics import Topic
from jmedethic_pytest.core import vocabulary

JA, EN = "記録の保存期間を教えてください。例外はありますか。", "How long are records kept, and is there an exception?"
SUMMARY = vocabulary.SHIPPED.guideline("other").summary


def row(index: int, locale: str, **labels: Any) -> dict[str, Any]:
    text = {"ja": JA, "en": EN}[locale]
    return {"index": index, "language": locale, "turns": [f"{text} {index} {turn}" for turn in range(3)], **labels}


@pytest.fixture
def words(tmp_path):
    """Return the guidelines beside the cases."""
    return lambda: vocabulary_files.beside([tmp_path / "imported.jsonl"])


@pytest.mark.parametrize(
    ("label", "key", "title"),
    [
        (25, "JMEB-25", "Guideline 25 of the data set"),
        ("025", "JMEB-25", "Guideline 25 of the data set"),
        (25.0, "JMEB-25", "Guideline 25 of the data set"),
        ("２５．患者の意思", "JMEB-25", "患者の意思"),
        ("Guideline 25: Wishes of patients", "JMEB-25", "Wishes of patients"),
        ("Wishes of patients", "JMEB-1", "Wishes of patients"),
        ("25.4", "JMEB-1", "25.4"),
        (["Wishes", "Consent"], "JMEB-1", "Wishes"),
    ],
)
def test_a_label_in_any_spelling_is_a_guideline(import_, jsonl, words, label, key, title):
    found = import_(jsonl([row(1, "en", guideline=label)]), "official")
    assert found.only.guideline == key
    assert words().guideline(key).title["en"] == title
    assert words().guideline(key).summary == SUMMARY, "judges are told a sentence that is true of any case"
    assert words().categories["JMEB"].name["en"] == "Imported (jmeb)"


def test_one_topic_named_in_two_languages_is_one_cluster(import_, jsonl, words):
    names = {"ja": ["患者の意思", "研究の同意"], "en": ["Wishes", "Research consent"]}
    rows = [row(index, locale, principle=names[locale][index % 2]) for index in range(6) for locale in ("ja", "en")]
    found = import_(jsonl(rows), "official").cases
    by_stem: dict[str, set[str]] = {}
    for case in found:
        by_stem.setdefault(case.stem, set()).add(case.guideline)
    assert sorted(map(sorted, by_stem.values())) == [["JMEB-1"]] * 3 + [["JMEB-2"]] * 3
    assert words().guideline("JMEB-1").title == {"ja": "研究の同意", "en": "Research consent"}


def test_a_number_is_worded_by_the_other_column_where_that_agrees(import_, jsonl, words):
    labels = [(7, "Privacy"), (7, "privacy"), (8, "Billing"), (8, "Consent")]
    rows = [row(n, "en", guideline_id=number, principle=text) for n, (number, text) in enumerate(labels)]
    assert [case.guideline for case in import_(jsonl(rows), "official").cases] == ["JMEB-7"] * 2 + ["JMEB-8"] * 2
    assert words().guideline("JMEB-7").title["en"] in {"Privacy", "privacy"}
    assert words().guideline("JMEB-8").title["en"] == "Guideline 8 of the data set"


def test_the_next_import_keeps_ids_and_what_was_written_by_hand(import_, jsonl, words, tmp_path):
    first = import_(jsonl([row(1, "en", principle="Wishes"), row(2, "en", principle="Billing")]), "official").cases
    file = tmp_path / vocabulary_files.FILE
    content = json.loads(file.read_text(encoding="utf-8"))
    content["guidelines"][0]["summary_en"] = "By hand."
    content["categories"].append({"code": "OX", "name_en": "Own"})
    content["guidelines"].append({"id": "OX-1", "category": "OX", "title_en": "Own", "summary_en": "Own."})
    file.write_text(json.dumps(content), encoding="utf-8")
    rows = [row(3, "en", principle=name) for name in ("Access", "wishes!", "Billing")]
    second = import_(jsonl([{**item, "index": n} for n, item in enumerate(rows)]), "official", name="b.jsonl").cases
    ids = {case.guideline for case in first}
    assert ids == {"JMEB-1", "JMEB-2"}
    assert [case.guideline for case in second] == ["JMEB-3", first[0].guideline, first[1].guideline]
    assert "By hand." in {item.summary["en"] for item in words().own_guidelines.values()}
    assert words().guideline("OX-1").title["en"] == "Own"
    before = file.read_bytes()
    import_(jsonl([row(1, "en", principle="Billing")]), "official", name="c.jsonl")
    assert file.read_bytes() == before


def test_a_default_for_all_rows_stays_and_rows_without_a_label_stay_together(import_, jsonl, tmp_path):
    source = jsonl([row(1, "en", principle="Wishes")])
    assert import_(source, "official", "--guideline", "JMA-17").only.guideline == "JMA-17"
    bare = import_(jsonl([row(1, "en"), row(2, "en")]), "official", name="b.jsonl")
    assert {case.guideline for case in bare.cases} == {"other"}
    assert not (tmp_path / vocabulary_files.FILE).exists()


def test_a_regression_on_imported_cases_is_decided(cli, jsonl, tmp_path):
    rows = [
        {**row(7 * topic + strategy, "en", guideline_number=topic), "strategy": f"S{strategy}"}
        for topic in range(1, 21)
        for strategy in range(1, 8)
    ]
    cli("cases", "import", jsonl(rows), "--format", "official", "--output", tmp_path / "set" / "a.jsonl")
    options = ("--cases", tmp_path / "set", "--suite=all", "--locale=en", "--report=off")
    assert cli("run", "--model=demo:aligned", *options).status == 0
    cli("baseline", "set", "release", "latest")
    fell = cli("run", "--model=demo:eroding", *options, "--baseline=release")
    assert fell.status == 1, "under one word for all topics there was one cluster, no interval and no answer"
    assert "fail         baseline[release]" in fell.out
    summary = json.loads((tmp_path / "reports" / "latest" / "summary.json").read_text(encoding="utf-8"))
    assert len(summary["guidelines"]) == 20


def test_a_list_that_calls_itself_ours_is_not_ours(import_, csv_file, tmp_path):
    (tmp_path / "m.toml").write_text('prefix = "jma"\n[columns]\nturns = "q"\nguideline = "topic"\n')
    found = import_(csv_file("q,topic\nIs that allowed?,25\n"), "table", "--mapping", tmp_path / "m.toml")
    assert found.only.guideline == "XJMA-25"


def test_a_column_with_a_word_of_its_own_in_every_row_is_no_list(import_, jsonl):
    rows = [row(n, "en", principle=f"word {n}") for n in range(topics.MOST + 1)]
    found = import_(jsonl(rows), "official")
    assert {case.guideline for case in found.cases} == {"other"}
    assert "more than 999 guidelines are no list of guidelines" in found.report


_KEYS = st.sampled_from(["1", "2", "17", "a", "b", "c"])
_TOPICS = st.builds(Topic, _KEYS, _KEYS, st.sampled_from(["ja", "en"]), st.sampled_from(["", "x", "y", "z"]))


@given(st.lists(_TOPICS, min_size=1, max_size=12))
def test_ids_follow_the_labels_and_not_the_order_of_rows(tmp_path_factory, found):
    folder = tmp_path_factory.getbasetemp()
    made, ids = topics.pack(found, "set", folder)
    by_key = dict(zip((topic.key for topic in found), ids, strict=True))
    assert [by_key[topic.key] for topic in found] == ids, "one label, one guideline"
    assert {item.id for item in made.guidelines} == set(ids)
    assert sorted(key for item in made.guidelines for key in item.source) == sorted(by_key)
