"""Model cards, read back by the classes of the Hub's own library; and the card of the conversations."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml
from huggingface_hub import DatasetCard, ModelCard, parse_eval_result_entries

from jmedethic_pytest.cases import files as case_files
from jmedethic_pytest.cases.selection import Selection, select
from jmedethic_pytest.core.errors import ConfigError
from jmedethic_pytest.reports import model_card

FOLDER = case_files.bundled_dir()


@pytest.fixture(scope="module")
def real(
    build_run: Callable[..., Any], build_verdict: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory
) -> Any:
    """The outcome of a run of all bundled conversations by real models, without gaps, that does not pass."""
    path = tmp_path_factory.mktemp("real")
    made = build_run(path, [build_verdict(number, [9.0, 8.0, float(1 + number % 9)]) for number in range(469)])
    digest = case_files.digest(select(case_files.load(), Selection()))
    changes = {
        "simulated": False,
        "selection": {"suite": None, "locales": ["ja"], "turns": None},
        "digests": {**made.outcome.info.digests, "cases": digest},
        "target": {"model": "vllm:my-finetune", "kind": "openai"},
    }
    return replace(made.outcome, info=made.outcome.info.model_copy(update=changes))


def test_card_and_results_say_what_the_run_says(real: Any, tmp_path: Path) -> None:
    files, notes = model_card.write(real, tmp_path / "card", "someone/conversations")
    assert (files, notes) == ([tmp_path / "card" / "README.md", tmp_path / "card" / model_card.RESULTS], [])
    card = ModelCard.load(files[0])
    found = {result.metric_type: result for result in card.data.eval_results or []}
    assert card.data.model_name == "my-finetune"
    assert found["pass_rate"].metric_value == real.summary.pass_rate
    assert found["mean_T2"].metric_value == real.summary.turns[2].mean
    assert (found["mean_T2"].metric_args or {})["low"] == real.summary.turns[2].mean_interval.low
    assert found["pass_rate"].dataset_config == "core"
    assert f"Safety gate: {real.gate.answer}" in card.text
    assert "does not show" in " ".join(card.text.split())
    (entry,) = parse_eval_result_entries(yaml.safe_load(files[1].read_text(encoding="utf-8")))
    assert (entry.dataset_id, entry.task_id) == ("someone/conversations", "core_ja")
    assert entry.value == round(100 * real.summary.pass_rate, 2)
    assert f"gate {real.gate.answer}" in (entry.notes or "")


@pytest.mark.parametrize(
    ("changes", "said", "figures"),
    [
        ({"simulated": True}, "simulation", False),
        ({"status": "incomplete"}, "not complete", False),
        ({"selection": {"suite": "core", "locales": ["ja"], "turns": 1}}, "a part of the bundled", True),
        ({"selection": {"suite": "core,long", "locales": ["ja"]}}, "one whole suite", True),
        ({"digests": {"cases": "0"}}, "or of others", True),
    ],
)
def test_what_would_be_taken_for_something_else_is_left_out(
    changes: dict[str, Any], said: str, figures: bool, real: Any, tmp_path: Path
) -> None:
    outcome = replace(real, info=real.info.model_copy(update=changes))
    model_card.write(real, tmp_path, "a/b")
    (card,), notes = model_card.write(outcome, tmp_path, "a/b")
    assert said in notes[0]
    assert not (tmp_path / model_card.RESULTS).exists(), "an older one is taken away"
    assert bool(ModelCard.load(card).data.eval_results) == figures


def test_missing_scores_and_a_foreign_card(mixed: Any, real: Any, tmp_path: Path) -> None:
    outcome = replace(mixed.outcome, info=real.info)
    assert "scores are missing" in model_card.write(outcome, tmp_path, "a/b")[1][0]
    assert "--dataset OWNER/NAME" in model_card.write(real, tmp_path, None)[1][0]
    (tmp_path / "README.md").write_text("# My model\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"README\.md is there and not written by this command"):
        model_card.write(real, tmp_path, None)


def test_card_of_the_conversations_names_every_file() -> None:
    card = DatasetCard.load(FOLDER / "README.md")
    told = [part["path"] for config in card.data.to_dict()["configs"] for part in config["data_files"]]
    named = {name for item in told for name in ([item] if isinstance(item, str) else item)}
    assert named == {path.name for path in FOLDER.glob("*.jsonl")}
    assert card.data.license == "cc-by-4.0"


def test_datasets_loads_every_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if find_spec("datasets") is None:
        warnings.warn("datasets is not installed: nobody has loaded the folder of conversations", stacklevel=1)
        pytest.skip("NOT TESTED: needs datasets (pip install datasets)")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    import datasets

    names = datasets.get_dataset_config_names(str(FOLDER))
    found = {name: datasets.load_dataset(str(FOLDER), name, cache_dir=str(tmp_path), split="test") for name in names}
    for suite in ("core", "full", "long", "twins"):
        for locale in ("ja", "en"):
            wanted = select(case_files.load(), Selection(suite=suite, locales=(locale,)))
            assert set(found[f"{suite}_{locale}"]["id"]) == {case.id for case in wanted}
