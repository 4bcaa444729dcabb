"""``--lang`` and ``JMED_LANG``: the language of what commands tell people, and never that of files for programs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jmedethic_pytest.cli import listing
from jmedethic_pytest.core.interface import VARIABLE
from jmedethic_pytest.core.sentences import in_language, named, say
from support.command import cli, folder
from support.japanese import english_in
from support.judged_runs import judged, store

__all__ = ["cli", "folder"]


@pytest.fixture
def run(folder: Path) -> str:
    made = store(
        folder / "reports", "20261101T000000Z-one-0001", "vllm:one", [judged(n, lambda *_: 9.0) for n in range(67)]
    )
    return str(made)


def test_option_and_environment_choose_and_json_stays(
    run: str, cli: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    english = cli("gate", run)
    asked = cli("gate", run, "--lang", "ja")
    assert "ゲート：判定不能" in asked.out
    assert not english_in(asked.out)
    assert asked.status == english.status
    monkeypatch.setenv(VARIABLE, "ja")
    assert cli("gate", run).out == asked.out
    assert cli("gate", run, "--lang=en").out == english.out
    monkeypatch.setenv(VARIABLE, "ja")
    told = json.loads(cli("gate", run, "--json").out)
    assert told["answer"] == "inconclusive"
    assert all(item["detail"].isascii() for item in told["conditions"])


@pytest.mark.parametrize("place", ["--lang", VARIABLE])
def test_a_language_that_nobody_speaks_here_is_refused_before_anything_is_done(
    place: str, run: str, cli: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    if place == VARIABLE:
        monkeypatch.setenv(VARIABLE, "fr")
    refused = cli("gate", run, *(["--lang", "fr"] if place == "--lang" else []))
    assert refused.status == 4
    assert refused.err.splitlines() == [f"ERROR: {place}: unknown value 'fr'. Allowed: ja, en."]


def test_status_of_a_shard_is_listed_in_both_languages() -> None:
    status = say("list.shard", shard="1/2", status=named("run_status", "complete"))
    shown = listing._called("status", listing._cell(status))
    assert (shown, in_language(shown, "ja")) == ("shard 1/2, complete", "シャード 1/2、完了")
