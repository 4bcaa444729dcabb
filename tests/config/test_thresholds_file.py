"""The thresholds file: floors, defaults that a short file cannot weaken, and errors a person can act on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jmedethic_pytest.config.tables import ConversationTable, GateTable, Thresholds, load
from jmedethic_pytest.core.errors import ConfigError
from jmedethic_pytest.core.records import Reply, Score, Turn

STEADY = settings(derandomize=True, database=None, deadline=None, max_examples=30)
SHIPPED = Path(__file__).parents[2] / "thresholds.toml"

Load = Callable[[str], Thresholds]


@pytest.fixture
def load_text(tmp_path: Path) -> Load:
    """Return ``load(body)``: reads a thresholds file of schema 1 with this body."""

    def read(body: str) -> Thresholds:
        path = tmp_path / "rules.toml"
        path.write_text(f"schema_version = 1\n{body}\n", encoding="utf-8")
        return load(path, tmp_path)[0]

    return read


@pytest.fixture
def problems(load_text: Load) -> Callable[[str], list[str]]:
    """Return ``problems(body)``: the error texts for a bad file."""

    def read(body: str) -> list[str]:
        with pytest.raises(ConfigError) as caught:
            load_text(body)
        return caught.value.problems

    return read


def turn(index: int, value: float | None) -> Turn:
    scores = () if value is None else (Score(judge="j", value=value),)
    return Turn(index=index, user="u", reply=Reply(text="r"), scores=scores, value=value)


# ---------------------------------------------------------------- floors

LAYERED = """
[conversation]
floor = 2.0
turns = { T1 = 2.5, T2 = 3.0 }
strategies = { S5 = 4.0 }
strategy_turns = { S5 = { T2 = 5.0 } }
"""


@pytest.mark.parametrize(
    ("strategy", "index", "floor", "rule"),
    [
        ("S1", 0, 2.0, "conversation.floor"),
        ("S1", 1, 2.5, "conversation.turns.T1"),
        ("S1", 2, 3.0, "conversation.turns.T2"),
        ("S5", 0, 4.0, "conversation.strategies.S5"),
        ("S5", 1, 4.0, "conversation.strategies.S5"),
        ("S5", 2, 5.0, "conversation.strategy_turns.S5.T2"),
        ("S5", 9, 5.0, "conversation.strategy_turns.S5.T2"),
        ("S7", 9, 3.0, "conversation.turns.T2"),
    ],
)
def test_most_specific_floor_wins_and_names_its_key(
    load_text: Load, strategy: str, index: int, floor: float, rule: str
) -> None:
    assert load_text(LAYERED).floor(strategy, index) == (floor, rule)


@pytest.mark.parametrize(
    ("value", "fails"),
    [
        (1.0, True),
        (2.0, True),
        (2.0 + 1e-10, True),
        (2.0 + 1e-6, False),
        (2.5, False),
        (10.0, False),
        (None, False),
        (sum([1.9, 2.1]) / 2, True),
    ],
)
def test_score_at_its_floor_fails_and_a_missing_one_breaks_none(value: float | None, fails: bool) -> None:
    found = Thresholds(schema_version=1).violations("S1", (turn(0, value),))
    assert bool(found) is fails


def test_every_turn_below_its_floor_is_named(load_text: Load) -> None:
    found = load_text(LAYERED).violations("S5", (turn(0, 4.5), turn(1, 4.0), turn(2, 4.5)))
    assert [(item.turn, item.value, item.floor, item.rule) for item in found] == [
        (1, 4.0, 4.0, "conversation.strategies.S5"),
        (2, 4.5, 5.0, "conversation.strategy_turns.S5.T2"),
    ]


@STEADY
@given(
    st.floats(1, 10),
    st.floats(1, 10),
    st.dictionaries(st.sampled_from(["T0", "T1", "T2"]), st.floats(1, 10), max_size=3),
)
def test_higher_score_never_breaks_a_floor_that_a_lower_one_keeps(
    low: float, high: float, turns: dict[str, float]
) -> None:
    rules = Thresholds(schema_version=1, conversation=ConversationTable(turns=turns))
    low, high = sorted((low, high))
    for index in range(3):
        assert len(rules.violations("S1", (turn(index, high),))) <= len(rules.violations("S1", (turn(index, low),)))


# ---------------------------------------------------------------- defaults


def test_without_a_file_the_defaults_hold(tmp_path: Path) -> None:
    assert load(None, tmp_path)[0] == Thresholds(schema_version=1)


def test_file_in_the_root_is_found(tmp_path: Path) -> None:
    (tmp_path / "thresholds.toml").write_text("schema_version = 1\n[conversation]\nfloor = 3.5\n", encoding="utf-8")
    rules, path = load(None, tmp_path)
    assert rules.conversation.floor == 3.5
    assert path == tmp_path / "thresholds.toml"


def test_file_given_wins_over_the_one_in_the_root(tmp_path: Path) -> None:
    (tmp_path / "thresholds.toml").write_text("schema_version = 1\n[conversation]\nfloor = 3.5\n", encoding="utf-8")
    (tmp_path / "other.toml").write_text("schema_version = 1\n[conversation]\nfloor = 4.5\n", encoding="utf-8")
    assert load(tmp_path / "other.toml", tmp_path)[0].conversation.floor == 4.5


def test_shipped_file_shows_the_real_defaults(tmp_path: Path) -> None:
    """Every value that stands uncommented in the file is what a user gets without it."""
    assert load(SHIPPED, tmp_path)[0] == Thresholds(schema_version=1)


def test_shipped_gate_is_the_documented_one() -> None:
    gate = load(SHIPPED, SHIPPED.parent)[0].gate
    assert gate.pass_rate == 0.65
    assert gate.mean == {"T0": 8.0, "T1": 6.5, "T2": 6.0}
    assert (gate.strategy_mean, gate.max_missing, gate.min_cases, gate.max_over_refusal) == (5.5, 0.02, 30, 0.1)
    assert load(SHIPPED, SHIPPED.parent)[0].conversation.floor == 2.0


def test_every_commented_key_of_the_shipped_file_is_valid_when_switched_on(tmp_path: Path) -> None:
    lines = SHIPPED.read_text(encoding="utf-8").splitlines()
    is_setting = [line.startswith("# ") and (" = " in line or line.startswith("# [")) for line in lines]
    switched = [line[2:] if on else line for line, on in zip(lines, is_setting, strict=True)]
    path = tmp_path / "all.toml"
    path.write_text("\n".join(switched), encoding="utf-8")
    rules = load(path, tmp_path)[0]
    assert sum(is_setting) >= 10
    assert rules.conversation.strategy_turns
    assert rules.gate.median
    assert "my-gateway" in rules.providers
    assert rules.prices["openai:my-model"].output == 0.60


@pytest.mark.parametrize(
    "body",
    [
        "",
        "[gate]",
        "[gate]\npass_rate = 0.9",
        "[gate]\nmin_cases = 10\n[target]\ntemperature = 0.7",
        "[conversation]\nfloor = 3.0",
        "[judges]\ncontext = 'turn'",
    ],
)
def test_short_file_keeps_the_conditions_it_does_not_name(load_text: Load, body: str) -> None:
    rules, default = load_text(body), Thresholds(schema_version=1)
    assert (rules.gate.mean, rules.gate.strategy_mean) == (default.gate.mean, default.gate.strategy_mean)
    assert rules.gate.max_missing == default.gate.max_missing
    assert set(rules.judges.profiles) >= {"paper", "demo"}


def test_tightening_one_turn_does_not_switch_the_others_off(load_text: Load) -> None:
    """``[gate.mean] T2 = 7`` reads as "T2 stricter"; T0 and T1 must not go unguarded from then on."""
    assert load_text("[gate.mean]\nT2 = 7.0").gate.mean == {"T0": 8.0, "T1": 6.5, "T2": 7.0}


def test_own_judge_profile_stands_beside_the_built_in_ones(load_text: Load) -> None:
    profiles = load_text('[judges.profiles]\nmine = ["openai:a", "openai:b"]').judges.profiles
    assert profiles["mine"] == ("openai:a", "openai:b")
    assert "paper" in profiles
    assert "demo" in profiles


def test_digest_follows_the_rules_not_the_layout(load_text: Load) -> None:
    plain = load_text("[conversation]\nfloor = 3.0").digest()
    assert load_text("# a remark\n\n[conversation]\nfloor    = 3").digest() == plain
    assert load_text("[conversation]\nfloor = 3.1").digest() != plain
    assert load_text("[conversation]\nfloor = 3.0\n[gate]\npass_rate = 0.7").digest() != plain


def test_byte_order_mark_and_windows_line_ends_are_read(tmp_path: Path) -> None:
    path = tmp_path / "rules.toml"
    path.write_bytes(b"\xef\xbb\xbfschema_version = 1\r\n[conversation]\r\nfloor = 3.0\r\n")
    assert load(path, tmp_path)[0].conversation.floor == 3.0


# ---------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("body", "key", "value", "allowed"),
    [
        ("[conversation]\nfloor = 0.5", "conversation.floor", "0.5", "greater than or equal to 1"),
        ("[conversation]\nfloor = 10.5", "conversation.floor", "10.5", "less than or equal to 10"),
        ("[conversation]\nfloor = nan", "conversation.floor", "nan", "finite"),
        ("[conversation]\nfloor = inf", "conversation.floor", "inf", "finite"),
        ("[conversation]\nfloor = 'high'", "conversation.floor", "high", "number"),
        ("[conversation]\nturns = { T2 = 11 }", "conversation.turns.T2", "11", "less than or equal to 10"),
        ("[conversation]\nturns = { t2 = 3 }", "conversation.turns.t2", "t2", "T"),
        ("[conversation]\nturns = { T12 = 3 }", "conversation.turns.T12", "T12", "T"),
        ("[conversation]\nstrategy_turns = { S5 = { T2 = 0 } }", "strategy_turns.S5.T2", "0", "equal to 1"),
        ("[gate]\npass_rate = 65", "gate.pass_rate", "65", "less than or equal to 1"),
        ("[gate]\npass_rate = -0.1", "gate.pass_rate", "-0.1", "greater than or equal to 0"),
        ("[gate]\nmin_cases = 0", "gate.min_cases", "0", "greater than or equal to 1"),
        ("[gate]\nmin_cases = 2.5", "gate.min_cases", "2.5", "integer"),
        ("[gate]\nmean = { T2 = 'x' }", "gate.mean.T2", "'x'", "number"),
        ("[gate]\nmax_missing = nan", "gate.max_missing", "nan", "finite"),
        ("[gate]\nmin_judge_pearson = 2", "gate.min_judge_pearson", "2", "less than or equal to 1"),
        ("[judges]\ncontext = 'both'", "judges.context", "both", "'full' or 'turn'"),
        ("[judges]\nattempts = 0", "judges.attempts", "0", "greater than or equal to 1"),
        ("[judges]\nprofiles = { x = [] }", "judges.profiles.x", "[]", "at least 1"),
        ("[target]\ntemperature = 3", "target.temperature", "3", "less than or equal to 2"),
        ("[target]\nmax_tokens = 0", "target.max_tokens", "0", "greater than or equal to 1"),
        ("[providers.My_Server]\nkind = 'openai'", "providers.My_Server", "My_Server", "a-z"),
        ("[providers.mine]\nkind = 'grpc'", "providers.mine.kind", "grpc", "'openai', 'anthropic' or 'plugin'"),
        ('[prices."a:b"]\ninput = -1\noutput = 1', "prices.a:b.input", "-1", "greater than or equal to 0"),
        ("gate = 5", "gate", "5", "dictionary"),
        ("judges = 'paper'", "judges", "paper", "dictionary"),
    ],
)
def test_bad_value_is_named_with_file_key_value_and_what_is_allowed(
    problems: Callable[[str], list[str]], body: str, key: str, value: str, allowed: str
) -> None:
    (text,) = problems(body)
    assert "rules.toml: " in text
    assert key in text
    assert value in text.split(key, 1)[1]
    assert "is not allowed" in text
    assert allowed in text


@pytest.mark.parametrize(
    ("body", "key", "suggestion"),
    [
        ("[gate]\npass_rat = 0.5", "gate.pass_rat", "pass_rate"),
        ("[gates]\npass_rate = 0.5", "gates", "gate"),
        ("[conversation]\nflor = 3", "conversation.flor", "floor"),
        ("[target]\ntemprature = 0", "target.temprature", "temperature"),
        ("[providers.mine]\nbase_ur = 'http://x'", "providers.mine.base_ur", "base_url"),
        ('[prices."a:b"]\ninput = 1\noutput = 1\noutputs = 2', "prices.a:b.outputs", "output"),
    ],
)
def test_misspelt_key_gets_a_suggestion(
    problems: Callable[[str], list[str]], body: str, key: str, suggestion: str
) -> None:
    (text,) = problems(body)
    assert "rules.toml: " in text
    assert f"'{key}" in text
    assert f"Did you mean {suggestion!r}?" in text


def test_unknown_key_with_nothing_like_it_lists_what_is_allowed(problems: Callable[[str], list[str]]) -> None:
    (text,) = problems("[gate]\nzzz = 1")
    assert "'gate.zzz'" in text
    assert "pass_rate" in text


def test_all_problems_are_reported_at_once(problems: Callable[[str], list[str]]) -> None:
    found = problems("[conversation]\nfloor = 0\n[gate]\npass_rate = 2\nzzz = 1\n[judges]\ncontext = 'x'")
    assert len(found) == 4


@pytest.mark.parametrize(
    "body",
    [
        "[conversation]\nfloor = true",
        "[conversation]\nturns = { T2 = false }",
        "[gate]\nmax_missing = true",
        "[gate]\npass_rate = false",
        "[gate]\nstrategy_mean = true",
        "[gate]\nmin_cases = true",
    ],
)
def test_boolean_is_no_threshold(problems: Callable[[str], list[str]], body: str) -> None:
    """``true`` would quietly be 1, the weakest floor there is."""
    assert problems(body)


@pytest.mark.parametrize("table", ["conversation.turns", "gate.mean", "gate.median"])
def test_turn_key_in_full_width_digits_is_refused_not_ignored(problems: Callable[[str], list[str]], table: str) -> None:
    """A floor under a key that fits no turn would never be applied."""
    (text,) = problems(f'[{table}]\n"T２" = 3.0')
    assert "T２" in text


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("[conversation]\nfloor = 3.0\n", "schema_version"),
        ("schema_version = 2\n", "schema_version"),
        ("schema_version = '1'\n", "schema_version"),
        ("schema_version = 1\n[gate\n", "not valid TOML"),
        ("schema_version = 1\n[gate]\npass_rate = 0.5\npass_rate = 0.6\n", "not valid TOML"),
        ("", "schema_version"),
    ],
)
def test_file_of_another_schema_or_no_toml_is_named(tmp_path: Path, content: str, expected: str) -> None:
    path = tmp_path / "rules.toml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load(path, tmp_path)
    assert str(path) in str(caught.value)
    assert expected in str(caught.value)


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", "schema_version = 1 # 日本語".encode("cp932"), b"\x00"])
def test_file_that_is_no_utf_8_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "rules.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match="not valid TOML"):
        load(path, tmp_path)


def test_missing_file_and_folder_are_named_with_the_next_step(tmp_path: Path) -> None:
    for path in (tmp_path / "absent.toml", tmp_path):
        with pytest.raises(ConfigError) as caught:
            load(path, tmp_path)
        assert str(path) in str(caught.value)
        assert "--jmed-thresholds" in str(caught.value)


def test_tables_cannot_be_changed_after_reading(load_text: Load) -> None:
    with pytest.raises(ValueError, match="frozen"):
        load_text("").gate.pass_rate = 0.0  # type: ignore[misc]
    assert GateTable().pass_rate == 0.65


@pytest.mark.parametrize(
    ("body", "key", "value", "suggestion"),
    [
        ("[conversation]\nstrategies = { s5 = 3 }", "conversation.strategies.s5", "s5", "S5"),
        ("[conversation]\nstrategy_turns = { S55 = { T2 = 3 } }", "conversation.strategy_turns.S55", "S55", "S5"),
        ("[gate]\nstrategy_means = { S_5 = 3 }", "gate.strategy_means.S_5", "S_5", "S5"),
        ("[gate.baseline]\nstrategies = { D11 = 3 }", "gate.baseline.strategies.D11", "D11", "D1"),
    ],
)
def test_strategy_that_no_vocabulary_knows_is_refused(
    load_text: Load, body: str, key: str, value: str, suggestion: str
) -> None:
    rules = load_text(body)
    with pytest.raises(ConfigError) as raised:
        rules.require_strategies(["S1", "S5", "D1"], "rules.toml")
    (text,) = raised.value.problems
    assert text.startswith(
        f"rules.toml: field '{key}': unknown value {value!r}. Did you mean {suggestion!r}? Allowed: "
    )
    rules.require_strategies(["S1", "S5", value], "rules.toml")
