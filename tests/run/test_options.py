"""Raw option values, from pytest or the command line, and what is said about bad ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from jmedethic_pytest.core.errors import ConfigError
from jmedethic_pytest.run.options import OPTIONS, Settings, parse

QUICK = (Phase.explicit, Phase.generate)
STEADY = settings(derandomize=True, database=None, deadline=None, max_examples=60, phases=QUICK)
ROOT = Path("/somewhere")


def read(**raw: Any) -> Settings:
    return parse("demo:aligned", raw, prefix="--jmed-", root=ROOT)


def problems(**raw: Any) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        read(**raw)
    return caught.value.problems


def test_defaults() -> None:
    found = read()
    assert found.selection.locales == ("ja",)
    assert found.selection.suite is None
    assert found.selection.sample is None
    assert (found.selection.seed, found.concurrency, found.cache, found.strict) == (0, 32, "use", False)
    assert found.reports == ROOT / "reports"


def test_values_are_read() -> None:
    found = read(
        base_url=" http://h:1/v1 ",
        judges="demo",
        cases="some/dir",
        suite="smoke",
        locale="en, ja",
        strategy="S1,S5",
        guideline="19",
        sample="7",
        seed="3",
        turns="1",
        concurrency="5",
        thresholds="t.toml",
        strict=True,
        cache="only",
        reports="/elsewhere",
    )
    assert found.base_url == "http://h:1/v1"
    assert found.cases == (Path("some/dir"),)
    assert found.thresholds == Path("t.toml")
    assert found.selection.locales == ("en", "ja")
    assert found.selection.strategies == ("S1", "S5")
    assert (found.selection.sample, found.selection.seed, found.selection.turns) == (7, 3, 1)
    assert (found.concurrency, found.strict, found.cache, found.reports) == (5, True, "only", Path("/elsewhere"))


@pytest.mark.parametrize(("workers", "expected"), [(0, 32), (2, 32), (64, 64)])
def test_concurrency_is_32_or_the_number_of_workers(workers: int, expected: int) -> None:
    assert parse("m:x", {}, prefix="--", workers=workers).concurrency == expected
    assert parse("m:x", {"concurrency": "8"}, prefix="--", workers=workers).concurrency == 8


@pytest.mark.parametrize("key", ["sample", "turns", "concurrency"])
@pytest.mark.parametrize("value", ["0", "-1", "1.5", "x", "１０", "1e3", "-", "+5", "0x10", "1_000", "--5", "²", "5 5"])
def test_number_that_is_none_is_refused_with_what_is_allowed(key: str, value: str) -> None:
    (text,) = problems(**{key: value})
    assert text == f"--jmed-{key}: {value!r} is not allowed: give a whole number of at least 1."


@pytest.mark.parametrize("value", ["-1", "--1", "abc", "1.0"])
def test_seed_is_a_whole_number_from_0(value: str) -> None:
    (text,) = problems(seed=value)
    assert "--jmed-seed" in text
    assert "at least 0" in text
    assert read(seed="0").selection.seed == 0


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ({"locale": "fr"}, ["--jmed-locale", "'fr'", "ja, en"]),
        ({"locale": "ja,jp"}, ["--jmed-locale", "'jp'", "ja, en"]),
        ({"locale": "JA"}, ["--jmed-locale", "'JA'", "Did you mean 'ja'?"]),
        ({"locale": " , "}, ["--jmed-locale", "names nothing"]),
        ({"cache": "maybe"}, ["--jmed-cache", "'maybe'", "use, judges, refresh, only, off"]),
        ({"cache": "refesh"}, ["--jmed-cache", "Did you mean 'refresh'?"]),
        ({"cache": "use,off"}, ["--jmed-cache", "use, judges, refresh, only, off"]),
        ({"strategy": ","}, ["--jmed-strategy", "names nothing"]),
        ({"guideline": " ,, "}, ["--jmed-guideline", "names nothing"]),
    ],
)
def test_bad_word_names_option_value_and_what_is_allowed(raw: dict[str, str], words: list[str]) -> None:
    (text,) = problems(**raw)
    assert all(word in text for word in words)


def test_every_bad_value_is_reported_at_once() -> None:
    assert len(problems(sample="0", seed="x", turns="-2", locale="fr", cache="x", concurrency="many")) == 6


def test_options_are_spelled_as_the_user_spells_them() -> None:
    with pytest.raises(ConfigError, match=r"^--sample: '0'"):
        parse("m:x", {"sample": "0"}, prefix="--")


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.name)
def test_every_option_has_help_and_an_absent_one_means_the_default(option: Any) -> None:
    assert option.help
    assert not option.help.endswith(".")
    assert bool(option.metavar) != option.is_flag
    assert read(**{option.key: None}) == read()


signed = st.builds(
    "".join, st.tuples(st.sampled_from(["", "-", "+", "--", "+-"]), st.sampled_from(["", "0", "7", "07"]))
)
raw_values = st.one_of(st.none(), st.text(max_size=8), st.integers(-5, 50), signed)


@STEADY
@given(st.dictionaries(st.sampled_from([option.key for option in OPTIONS if not option.is_flag]), raw_values))
def test_any_value_is_read_or_refused_never_a_crash(raw: dict[str, Any]) -> None:
    try:
        found = read(**raw)
    except ConfigError:
        return
    assert found.concurrency >= 1
    assert found.selection.sample is None or found.selection.sample >= 1
    assert found.cache in ("use", "judges", "refresh", "only", "off")
