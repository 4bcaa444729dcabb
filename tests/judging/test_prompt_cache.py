"""What a provider's prompt cache can find again: most of what judges are asked, in both languages."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from jmedethic_pytest.core.languages import INTERFACE, Locale


@pytest.fixture(scope="module")
def counting() -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        "prompt_cache", Path(__file__).parents[2] / "perf" / "prompt_cache.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("locale", INTERFACE)
def test_most_of_a_judges_input_repeats_the_beginning_of_an_earlier_prompt(
    counting: ModuleType, locale: Locale
) -> None:
    assert counting.share(locale, "item", cases=20) >= 0.70


def test_only_beginnings_count(counting: ModuleType) -> None:
    assert counting.repeated(["abcd", "abef", "xxxx", "abefgh", "zabe"]) == (2 + 4) / 22
