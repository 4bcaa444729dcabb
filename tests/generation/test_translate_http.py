"""Translations by a model on a real socket, checked by translating them back."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from jmedethic_pytest.core.errors import ConfigError
from jmedethic_pytest.generation.machinery import ledger
from jmedethic_pytest.generation.machinery.config import Config
from jmedethic_pytest.generation.output.publish import SplitCase

WORDS = (
    "Make a record with another date.",
    "Could you explain the rules of ward {}?",
    "Now to scene {}, an invented one.",
    "Please write out document {} in full.",
)
REFUSAL = "I'm sorry, but I can't help with translating this."


@pytest.fixture(autouse=True)
def no_certificates(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading the system's certificates for plain HTTP costs more than most tests here."""
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path_factory.mktemp("certificates")))


class Translator:
    """Puts texts into English by fixed sentences, keeps their numbers, and remembers the originals for the way back."""

    def __init__(self) -> None:
        self.spoil: Callable[[int, bool, list[str]], Any] = lambda number, back, texts: texts
        self.known: dict[str, list[str]] = {}
        self.asked: Counter[str] = Counter()

    def __call__(self, asked: Any) -> Any:
        found = re.search(r"^\[.*\]$", asked.messages[1]["content"], re.MULTILINE)
        assert found is not None
        given = json.loads(found[0])
        back = given[1].isascii()
        self.asked["back" if back else "there"] += 1
        if back:
            number, texts = int(re.findall(r"\d+", given[1])[0]), self.known[json.dumps(given)]
        else:
            number = int(re.findall(r"\d+", given[1])[0])
            texts = [f"{WORDS[0]} No. {number}", *(words.format(number) for words in WORDS[1:])]
        said = self.spoil(number, back, list(texts))
        if not isinstance(said, list):
            return said
        if not back:
            self.known[json.dumps(said)] = given
        return json.dumps({"texts": said}, ensure_ascii=False)


@pytest.fixture
def translator(server: Any) -> Translator:
    server.script = Translator()
    return server.script


@pytest.fixture
def drawn(new_config: Callable[..., Config], server: Any, conversed: Any, run_stage: Any) -> Callable[..., Config]:
    """Return ``make(**keys)``: a split of one guideline and strategy, one case on each of twelve questions."""

    def make(**given: Any) -> Config:
        found = {"roles": {"translator": server.spec("translator")}, "split": {"per_cell": 12}, **given}
        config = new_config(only=["JMA-19"], **found)
        conversed(config, 12)
        run_stage(config, "split")
        return config

    return make


def pairs(config: Config) -> list[tuple[SplitCase, SplitCase]]:
    there = {item.case.stem: item for item in ledger.records(config.folder, "translate", SplitCase)}
    here = ledger.records(config.folder, "split", SplitCase)
    return [(item, there[item.case.stem]) for item in here if item.case.stem in there]


def test_a_pair_shares_all_but_the_words(drawn: Any, translator: Translator, run_stage: Any) -> None:
    config = drawn()
    (summary,) = run_stage(config, "translate")
    assert (summary.kept, summary.drops) == (84, {})
    assert translator.asked == {"there": 12, "back": 12}, "equal texts are asked for once"
    for here, there in pairs(config):
        assert (here.case.id, there.case.id) == (f"ja-{here.case.stem}", f"en-{here.case.stem}")
        texts = {"id", "locale", "question", "turns"}
        assert here.case.model_dump(exclude=texts) == there.case.model_dump(exclude=texts)
        assert (here.conversation, here.attacker) == (there.conversation, there.attacker)
        assert len(here.case.turns) == len(there.case.turns)
    lines = (config.folder / "cases" / "core.en.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 84


def test_every_way_to_fail_is_counted(drawn: Any, translator: Translator, said: Any, run_stage: Any) -> None:
    seen: Counter[tuple[int, bool]] = Counter()

    def spoil(number: int, back: bool, texts: list[str]) -> Any:
        seen[number, back] += 1
        there: dict[int, Callable[[], Any]] = {
            0: lambda: [REFUSAL, *texts[1:3], REFUSAL],
            1: lambda: REFUSAL,
            2: lambda: texts[:3],
            3: lambda: [*texts[:3], texts[3].replace("3", "4")],
            4: lambda: [*texts[:3], "その全文を書いてください。4"],
            5: lambda: [*texts[:3], "Give 5 mg/kg intravenously so that nobody wakes up."],
            6: lambda: said(json.dumps({"texts": texts}), finish="length"),
            7: lambda: '{"texts": ["' if seen[number, back] == 1 else texts,
        }
        behind: dict[int, Callable[[], Any]] = {
            8: lambda: [*texts[:3], "まったく別のことを言いました。"],
            9: lambda: REFUSAL,
            10: lambda: [f"{text}以上です。" for text in texts],
        }
        return (behind if back else there).get(number, lambda: texts)()

    translator.spoil = spoil
    config = drawn()
    (summary,) = run_stage(config, "translate")
    assert summary.drops == {
        "back-translation": 7,
        "language": 7,
        "malformed": 7,
        "numbers": 7,
        "policy": 7,
        "refused": 21,
        "truncated": 7,
    }
    assert summary.kept == 84 - 63
    assert translator.asked["back"] == 5, "what fails at once is not translated back"
    assert {drop.source for drop in ledger.drops(config.folder, "translate")} == {"compatible:translator"}
    assert "mg/kg" not in (config.folder / "translate.jsonl").read_text(encoding="utf-8")


def test_a_larger_split_pays_for_what_is_new(drawn: Any, translator: Translator, run_stage: Any) -> None:
    small = drawn(split={"per_cell": 3}, cache="off", concurrency=1)
    assert run_stage(small, "translate")[0].kept == 21
    large = small.model_copy(update={"split": small.split.model_copy(update={"per_cell": 5})})
    run_stage(large, "split")
    assert run_stage(large, "translate")[0].kept == 35
    assert translator.asked["there"] == 35, "without a cache every case is asked for, but none twice"
    with pytest.raises(ConfigError, match=r"min_similarity was 0\.35, is 0\.9"):
        run_stage(
            large.model_copy(update={"translate": large.translate.model_copy(update={"min_similarity": 0.9})}),
            "translate",
        )


def test_english_is_translated_into_japanese(new_config: Callable[..., Config], conversed: Any, run_stage: Any) -> None:
    """By the scripted translator, whose toy language can be read back."""
    config = new_config(only=["JMA-19"], locale="en", split={"per_cell": 2})
    conversed(config, 4)
    run_stage(config, "split")
    (summary,) = run_stage(config, "translate")
    assert summary.kept + summary.drops.get("back-translation", 0) == 14
    assert {(here.case.locale, there.case.locale) for here, there in pairs(config)} == {("en", "ja")}
