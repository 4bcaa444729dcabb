"""Who may judge, and how one judge is asked in another way than the rest: found before anything is paid."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jmedethic_pytest.config.tables import PROFILES, Thresholds
from jmedethic_pytest.core.errors import ConfigError
from jmedethic_pytest.models import retirement
from jmedethic_pytest.run.options import parse
from jmedethic_pytest.run.prepare import prepare

HERE = "http://127.0.0.1:9/v1"


@pytest.fixture
def spec(folder: Path, write_cases: Callable[..., list[str]]) -> Callable[..., Any]:
    """Prepare a run of a few English cases with these judges."""
    write_cases(2)

    def make(judges: str | None, rules: str = "", model: str = f"compatible:m@{HERE}") -> Any:
        (folder / "thresholds.toml").write_text(f"schema_version = 1\n{rules}", encoding="utf-8")
        raw = {"cases": "cases.jsonl", "locale": "en", "judges": judges}
        return prepare(parse(model, raw, prefix="--"), folder)

    return make


@pytest.mark.parametrize(
    ("judges", "words"),
    [
        (f"compatible:j@{HERE}", "'compatible:j' alone is no panel"),
        (f"compatible:m@{HERE},compatible:j@{HERE}", "'compatible:m' is the target itself"),
        (f"compatible:j@{HERE},compatible:j@{HERE}", "is named 2 times"),
    ],
)
def test_judges_that_are_no_panel_are_refused(spec: Callable[..., Any], judges: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        spec(judges)


@pytest.mark.parametrize("model", ["demo:aligned", f"compatible:m@{HERE}"])
def test_without_judges_nobody_is_asked_for_by_option_or_file(spec: Callable[..., Any], model: str) -> None:
    assert spec("none", model=model).judges == ()
    assert spec(None, "[judges]\nprofile = 'none'\n", model=model).judges == ()
    assert spec("demo", "[judges]\nprofile = 'none'\n", model=model).judges
    with pytest.raises(ConfigError, match="'none' stands for no judges"):
        spec("none", "[judges.profiles]\nnone = ['demo:judge-strict', 'demo:judge-lenient']\n")


def test_same_name_at_another_address_is_another_model(spec: Callable[..., Any]) -> None:
    assert len(spec(f"compatible:m@{HERE.replace('9', '8')},compatible:j@{HERE}").judges) == 2


def test_table_of_one_judge_adds_to_that_of_all(spec: Callable[..., Any]) -> None:
    rules = """
[judges]
temperature = 0.5
extra = { seed = 1 }
[judges.models."compatible:a"]
temperature = 1.0
max_tokens = 99
system_role = "user"
extra = { provider = { order = ["X"], allow_fallbacks = false } }
"""
    found = spec(f"compatible:a@{HERE},compatible:b@{HERE}", rules)
    first, second = (found.thresholds.judges.sampling(judge.label) for judge in found.judges)
    assert (first.temperature, first.max_tokens) == (1.0, 99)
    assert first.extra == {"seed": 1, "provider": {"order": ["X"], "allow_fallbacks": False}}
    assert (second.temperature, second.max_tokens, second.extra) == (0.5, 4096, {"seed": 1})
    assert [judge.dialect.system_role for judge in found.judges] == ["user", "system"]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("extra = { model = 'x' }", "'model' would let another model answer"),
        ("temperature = 9.0", "temperature"),
        ("prompt = 'paper'", "prompt"),
    ],
)
def test_table_of_one_judge_is_held_to_the_same_rules(spec: Callable[..., Any], body: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        spec(f"compatible:a@{HERE},compatible:b@{HERE}", f'[judges.models."compatible:a"]\n{body}\n')


@pytest.mark.parametrize(
    ("third", "panel", "words"),
    [
        (f"compatible:a@{HERE}", "compatible:a@{0},compatible:b@{0}", "'compatible:a' is one of the two judges"),
        (f"compatible:m@{HERE}", "compatible:a@{0},compatible:b@{0}", "'compatible:m' is the target itself"),
        (f"compatible:d@{HERE}", "compatible:a@{0},compatible:b@{0},compatible:c@{0}", "there are 3"),
        ("demo:judge-strict", "compatible:a@{0},compatible:b@{0}", "is a simulation"),
        ("nobody:x", "compatible:a@{0},compatible:b@{0}", "nobody"),
    ],
)
def test_third_judge_that_cannot_decide_is_refused(
    spec: Callable[..., Any], third: str, panel: str, words: str
) -> None:
    with pytest.raises(ConfigError, match=words):
        spec(panel.format(HERE), f"[judges]\nthird = '{third}'\n")


def test_third_judge_sits_beside_the_panel_and_is_simulated_where_that_is(spec: Callable[..., Any]) -> None:
    rules = f"""
[judges]
third = "compatible:c@{HERE}"
[judges.models."compatible:c"]
system_role = "user"
"""
    found = spec(f"compatible:a@{HERE},compatible:b@{HERE}", rules)
    assert [judge.label for judge in found.judges] == ["compatible:a", "compatible:b"]
    assert (found.third.label, found.third.dialect.system_role) == ("compatible:c", "user")
    assert spec(None, rules, model="demo:aligned").third.label == "demo:judge-next-strict"
    assert spec("demo-next", rules, model="demo:aligned").third.label == "demo:judge-strict"
    assert spec("none", rules).third is None


def test_default_panel_has_two_makers_and_no_announced_end() -> None:
    judges = PROFILES[Thresholds(schema_version=1).judges.profile]
    assert len({judge.partition(":")[0] for judge in judges}) == 2
    assert [retirement(judge) for judge in judges] == [None, None]
