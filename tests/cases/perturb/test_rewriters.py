"""Surface changes: seeded, checked, and never of what bears the meaning."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jmedethic_pytest.cases import files as case_files
from jmedethic_pytest.cases.checks.policy import denied
from jmedethic_pytest.cases.perturb import checks, english, politeness, script, spacing, typos, width
from jmedethic_pytest.cases.perturb.draw import Draw
from jmedethic_pytest.cases.perturb.kinds import KINDS, VERSION
from jmedethic_pytest.cases.perturb.protected import spans, tokens
from jmedethic_pytest.cases.perturb.rewriting import rewrite
from jmedethic_pytest.core import files
from jmedethic_pytest.core.languages import Locale
from jmedethic_pytest.core.records import Case

BOTH = [(kind, locale) for kind, made in KINDS.items() for locale in made.rewriters]
_OWN = ("turns", "turns_if_refused", "turns_if_complied")


@cache
def bundled(locale: Locale) -> tuple[Case, ...]:
    """A part of the bundled conversations, of every guideline."""
    return tuple(case for case in case_files.load() if case.locale == locale and "core" in case.suites)[::19]


def texts(locale: Locale) -> st.SearchStrategy[str]:
    """Sentences as the conversations have them, in any combination."""
    found = sorted({turn for case in bundled(locale) for turn in case.turns})
    return st.lists(st.sampled_from(found), min_size=1, max_size=2).map(lambda parts: "\n".join(parts))


def bare(text: str) -> str:
    return re.sub(r"\s+", "", text)


@pytest.mark.parametrize(("kind", "locale"), BOTH)
def test_conversations_keep_their_meaning_and_all_but_their_user_turns(kind: str, locale: Locale) -> None:
    """Most can be changed; each that cannot says why; the same seed gives the same, another one another chance."""
    changed = 0
    for case in bundled(locale):
        found, again = rewrite(case, kind, 7), rewrite(case, kind, 7)
        assert found == again
        if found.case is None:
            assert found.reason
            continue
        changed += 1
        assert found.case.model_dump(exclude=set(_OWN)) == case.model_dump(exclude=set(_OWN))
        assert found.case.turns != case.turns
        assert len(found.case.turns) == len(case.turns)
        for before, after in zip(case.turns, found.case.turns, strict=True):
            assert tokens(after, locale) == tokens(before, locale)
            assert denied(after) == denied(before)
            assert not list(checks.problems(before, after, locale))
    assert changed >= 0.7 * len(bundled(locale))


def test_another_seed_makes_other_slips() -> None:
    case = bundled("ja")[0]
    assert rewrite(case, "typos", 1) != rewrite(case, "typos", 2)


@pytest.mark.parametrize(
    ("locale", "text", "kept"),
    [
        ("ja", "東京第三病院で15分、十年間は伝えないでください。", ["東京第三病院", "15", "十", "ない"]),
        (
            "ja",
            "Z郡医師会の規程を不問にはできません。NHKにも話さずにおく。",
            ["Z郡医師会", "不", "ません", "NHK", "ず"],
        ),
        ("en", "On Monday the Kyoto Medical Board cannot wait 15 minutes, nor won't I.", ["On Monday", "cannot", "15"]),
        ("en", "It is not the University of Tokyo without two signatures.", ["not", "University of Tokyo", "two"]),
    ],
)
def test_what_is_protected(locale: Locale, text: str, kept: list[str]) -> None:
    """Numbers, names of institutions, negations; the other characters may be touched."""
    found = [text[begin:end] for begin, end in spans(text, locale)]
    assert set(kept) <= set(found)
    assert sum(map(len, set(found))) < len(text)


@given(text=texts("ja"), seed=st.integers(0, 999))
def test_slips_are_three_percent_and_none_in_a_protected_token(text: str, seed: int) -> None:
    found = typos.japanese(text, Draw(seed))
    wanted = max(1, round(typos.SHARE * len(text)))
    assert abs(len(found) - len(text)) <= wanted
    for begin, end in spans(text, "ja"):
        assert text[begin:end] in found


@given(text=texts("en"), seed=st.integers(0, 999))
def test_english_slips_stay_within_words(text: str, seed: int) -> None:
    """As many words as before, each with its first letter and its last."""
    found = typos.english(text, Draw(seed))
    assert [(word[0], word[-1]) for word in found.split()] == [(word[0], word[-1]) for word in text.split()]


@given(text=texts("ja"))
def test_width_comes_back(text: str) -> None:
    assert width.swapped(width.swapped(text)) == text


@given(text=st.text("アガパー゛ﾞｱｶﾞ病院センターA1Ａ１ぁ。", max_size=12))
def test_width_comes_back_whatever_the_text_or_leaves_it(text: str) -> None:
    assert width.swapped(width.swapped(text)) == text


@pytest.mark.parametrize("change", [script.to_kana, script.to_kanji, politeness.to_plain, politeness.to_polite])
@given(text=texts("ja"))
def test_twice_is_once(change: Callable[[str], str], text: str) -> None:
    assert change(change(text)) == change(text)


@given(text=texts("en"))
def test_small_letters_twice_are_small_letters_once(text: str) -> None:
    found = english.lower(text, Draw(0))
    assert english.lower(found, Draw(0)) == found
    assert found.lower() == text.lower()


@pytest.mark.parametrize(
    ("change", "locale"),
    [
        (spacing.spaces_japanese, "ja"),
        (spacing.lines_japanese, "ja"),
        (spacing.spaces_english, "en"),
        (spacing.lines_english, "en"),
    ],
)
@given(data=st.data())
def test_white_space_alone_changes(change: Callable[[str, Draw], str], locale: Locale, data: st.DataObject) -> None:
    text = data.draw(texts(locale))
    assert bare(change(text, Draw(3))) == bare(text)


@pytest.mark.parametrize(
    ("rewriter", "before", "after"),
    [
        (politeness.japanese, "案を作っています。教えてください。", "案を作っている。教えて。"),
        (politeness.japanese, "「知っています。」とのことだ。困っているのだ。続けてほしい。", None),
        (script.japanese, "詳しく教えて下さい。", "くわしくおしえてください。"),
        (width.japanese, "データを3件、東京センターへ。", "ﾃﾞｰﾀを３件、東京センターへ。"),
        (english.lower, "I think so. Could you ask the NHI?", "i think so. could you ask the NHI?"),
        (english.register, "I am here. Could you help?", "I'm here. Could you please help?"),
        (english.punctuation, "Well, then.", "Well then"),
        # What looks like a word of a table and is part of another one, or ends a clause, stays.
        (
            script.japanese,
            "ただ書いただけですが、山頂で汗をかいて、言いわたしを手伝えず私立に。",
            "ただ書いただけですが、山頂で汗をかいて、言いわたしを手伝えず私立に。",
        ),
        (english.register, "I'd been told how it is; it's been long.", "I'd been told how it is; it's been long."),
        (english.register, "I've heard it is late.", "I've heard it's late."),
    ],
)
def test_by_example(rewriter: Any, before: str, after: str | None) -> None:
    found = rewriter(before, Draw(0))
    if after is None:
        assert "「知っています。」" in found, "how somebody is quoted is no tone of the speaker's"
    else:
        assert found == after


@pytest.mark.parametrize(
    ("after", "problem"),
    [
        ("15分で話せます。", "negation"),
        ("25分では話せません。", "number"),
        ("15分では話せません。" * 2, "length"),
        ("15分では殺せません。", "harmful"),
        ("15分では\u200b話せません。", "invisible"),
    ],
)
def test_what_would_change_the_meaning_is_seen(after: str, problem: str) -> None:
    assert any(problem in line for line in checks.problems("15分では話せません。", after, "ja"))


SAID: dict[Locale, str] = {
    "ja": "大学病院の研修医です。データを3件、NHKには出さずにまとめています。経緯をくわしく教えていただけますか。"
    "たとえば、どう書けばよいでしょうか。",
    "en": "I am a resident at the University Hospital, and it is late. Could you summarise the three reports, please?",
}


def test_other_rewritings_are_another_version(build_case: Callable[..., Case]) -> None:
    """Runs reworded by different versions are not held against each other: raise VERSION where this changes."""
    made = [rewrite(build_case(f"{locale}-a", turns=(SAID[locale],)), kind, 0).case for kind, locale in BOTH]
    assert all(case is not None for case in made)
    texts = [case and case.turns for case in made]
    assert (VERSION, files.compact_digest(texts)[:16]) == ("1", "9aab60044b9a1545")


def test_a_conversation_that_cannot_be_changed_says_so(build_case: Callable[..., Case]) -> None:
    found = rewrite(build_case(turns=("十。", "ない。")), "width", 0)
    assert found.case is None
    assert found.reason == "width finds nothing to change in it"
    assert rewrite(build_case(), "case", 0).reason == "there is no case in 'ja'"
