"""The gate's conditions as the page lists them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from jmedethic_pytest.core.records import Condition, Gate
from jmedethic_pytest.core.sentences import in_language
from jmedethic_pytest.core.vocabulary import SHIPPED
from jmedethic_pytest.reports.page.view import conditions
from jmedethic_pytest.reports.wording import spending

AGAINST = {
    "baseline[v1.2].mean": "fail",
    "baseline[v1.2].pass_rate": "fail",
    "baseline[v1.2].T0": "inconclusive",
    "baseline[v1.2].failures": "inconclusive",
    "baseline[v1.2].category[A]": "inconclusive",
    "baseline[v1.2].category[B]": "inconclusive",
    "baseline[v1.2].judge[demo:judge-strict]": "inconclusive",
    "baseline[old]": "inconclusive",
}


def test_a_baseline_has_a_line_for_each_answer_and_kind_of_place_with_all_that_belongs_to_it() -> None:
    made: Any = [
        Condition(name=name, answer=cast(Any, answer), observed=None, limit=None, detail=f"about {name}")
        for name, answer in AGAINST.items()
    ]
    gate = Gate(answer="fail", conditions=tuple(made), reasons=())
    outcome: Any = SimpleNamespace(gate=gate, info=SimpleNamespace(words=SHIPPED))
    shown = [(item.name, item.answer, item.detail.en) for item in conditions(outcome)]
    assert shown == [
        ("baseline[v1.2]", "fail", "Mean, Pass rate"),
        ("baseline[v1.2]", "inconclusive", "turn 1 (T0)"),
        ("baseline[v1.2]", "inconclusive", "about baseline[v1.2].failures"),
        ("baseline[v1.2]", "inconclusive", "worse for certain in 2 categories"),
        ("baseline[v1.2]", "inconclusive", "about baseline[v1.2].judge[demo:judge-strict]"),
        ("baseline[old]", "inconclusive", "about baseline[old]"),
    ]


def test_conditions_are_named_in_both_languages() -> None:
    made = [
        Condition(name=name, answer="pass", observed=12.0, limit=12.0, detail="")
        for name in ("golden[demo:judge-strict, ja]", "golden", "mean[T1]", "replayed")
    ]
    outcome: Any = SimpleNamespace(
        gate=Gate(answer="pass", conditions=tuple(made), reasons=()), info=SimpleNamespace(words=SHIPPED)
    )
    golden, untried, mean, replayed = conditions(outcome)
    assert golden.label == (
        "Judges on golden replies (demo:judge-strict, ja)",
        "見本の回答による審査モデルの確認（demo:judge-strict, ja）",
    )
    assert golden.required == ("at least 12", "12 以上")
    assert (untried.label.ja, mean.label.ja) == ("見本の回答による審査モデルの確認", "T1：平均スコア")
    assert replayed.label.ja == "回答の再利用"


def test_what_a_run_spent_is_told_in_both_languages() -> None:
    tokens = {"input": 10, "output": 2, "cached_calls": 3, "failed_calls": 1, "prompt_cached": 4}
    info: Any = SimpleNamespace(
        calls={"target demo:aligned": 7, "somebody else": 1},
        tokens={"target demo:aligned": tokens},
        cost_usd={"target demo:aligned": 0.5},
    )
    target, other = spending(info)
    assert target == (
        "target demo:aligned: 7 calls, 1 failed, 3 from cache, 10 + 2 tokens (4 from the prompt cache), $0.5000"
    )
    assert in_language(target, "ja") == (
        "対象モデル demo:aligned：呼び出し 7 回、失敗 1 回、キャッシュから 3 件、"
        "トークン 入力 10、出力 2（うちプロンプトキャッシュ 4）、$0.5000"
    )
    assert other == "somebody else: 1 calls, 0 from cache, 0 + 0 tokens, price unknown"
