"""A stored run as a model card of the Hugging Face Hub, and as its evaluation results (``.eval_results/*.yaml``).

Figures for machines stand there only where they are what such a reader takes them for: of a run that came to its end,
with real models, without missing scores. What they leave out the card says in words: gate, judges, limits.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jmedethic_pytest.cases import files as case_files
from jmedethic_pytest.cases.selection import Selection, select
from jmedethic_pytest.core import files
from jmedethic_pytest.core.errors import ConfigError, not_installed
from jmedethic_pytest.core.text import one_line
from jmedethic_pytest.reports import markdown
from jmedethic_pytest.reports.wording import share_interval
from jmedethic_pytest.stats.estimate import Estimate

if TYPE_CHECKING:
    from jmedethic_pytest.gate.outcome import Outcome

RESULTS = Path(".eval_results") / "jmedethic.yaml"
"""Where the Hub looks for results, in a model's repository."""
_SUITES = ("core", "full", "long")
"""Suites that are a configuration of the data set, in each language."""
_LIMITS = """\
Conversations of several turns lead from a legitimate question to a clear breach of medical ethics; language models
score every reply. This says how the model held in these conversations, by these judges, on that day. It does not show
that the model is safe, that the judges are right, or that it is fit for any medical purpose; the conversations have not
been reviewed by clinicians or lawyers yet."""


def write(outcome: Outcome, folder: Path, dataset: str | None) -> tuple[list[Path], list[str]]:
    """Write ``README.md``, and the results if they can be had.

    Args:
        outcome: the run.
        folder: where; made if it is not there.
        dataset: where the conversations are on the Hub, ``OWNER/NAME``, if they are.

    Returns:
        The files, and what was left out and why, in sentences.

    Raises:
        ConfigError: if huggingface_hub is not installed, or another card stands there.
        StoreError: if a file cannot be written.
    """
    try:
        from huggingface_hub import EvalResult, EvalResultEntry, ModelCardData, eval_result_entries_to_yaml
        from huggingface_hub.utils import yaml_dump  # type: ignore[attr-defined]
    except ImportError:
        raise not_installed("--to model-card", "huggingface-hub 2", "hf") from None
    card, results = folder / "README.md", folder / RESULTS
    if card.exists() and markdown.MARKER not in card.read_text(encoding="utf-8", errors="replace"):
        raise ConfigError(
            f"{card} is there and not written by this command. Give another folder (--output), and copy from it."
        )
    doubt = _unfit(outcome)
    name = one_line(str(outcome.info.target["model"]).partition(":")[2], 120)
    figures = [] if doubt else [EvalResult(**fields) for fields in _figures(outcome)]
    data = ModelCardData(model_name=name, eval_results=figures or None, tags=["medical", "safety-evaluation"])
    files.replace(card, f"---\n{data.to_yaml().strip()}\n---\n\n{_body(outcome, name)}")
    doubt = doubt or _no_place(outcome, dataset)
    if doubt:
        results.unlink(missing_ok=True)
        return [card], [f"{RESULTS} was not written: {doubt}"]
    entries = [EvalResultEntry(**fields) for fields in _entries(outcome, str(dataset))]
    files.replace(results, yaml_dump(eval_result_entries_to_yaml(entries)))
    return [card, results], []


def _unfit(outcome: Outcome) -> str:
    """Return why no figure of a run may stand where machines read it, empty if they may."""
    if outcome.info.simulated:
        return "the run is a simulation, and its figures say nothing about any real model."
    if outcome.info.status != "complete" or outcome.info.shard is not None:
        return "the run is not complete."
    if outcome.summary.attack_turns_missing:
        return f"{outcome.summary.attack_turns_missing} scores are missing. Run the same command again."
    return ""


def _no_place(outcome: Outcome, dataset: str | None) -> str:
    """Return why the figures cannot be told as results of a data set of the Hub, empty if they can."""
    if dataset is None:
        return "say where the conversations are on the Hub (--dataset OWNER/NAME)."
    suite = _suite(outcome)
    if suite not in _SUITES:
        return f"results are of one whole suite ({', '.join(_SUITES)}), and the run is of {suite or 'several'}."
    chosen = Selection(suite=outcome.info.selection.get("suite"), locales=tuple(outcome.info.selection["locales"]))
    bundled = case_files.digest(select(case_files.load(), chosen))
    if outcome.info.selection.get("turns") or bundled != outcome.info.digests.get("cases"):
        return "the run is of a part of the bundled conversations, of an older version, or of others."
    return ""


def _suite(outcome: Outcome) -> str:
    """Return the suite of the adversarial conversations, empty if there are several."""
    asked = str(outcome.info.selection.get("suite") or _SUITES[0]).split(",")
    adversarial = [name.strip() for name in asked if name.strip() != "twins"]
    return adversarial[0] if len(adversarial) == 1 else ""


def _figures(outcome: Outcome) -> Iterator[dict[str, Any]]:
    """Yield the figures for ``model-index``: scores run from 1 to 10, rates from 0 to 1, more is safer."""
    summary, info = outcome.summary, outcome.info
    common = {
        "task_type": "text-generation",
        "task_name": "Medical ethics under pressure over several turns",
        "dataset_type": "jmedethic-pytest",
        "dataset_name": "jmedethic-pytest conversations",
        "dataset_config": _suite(outcome) or None,
        "dataset_revision": info.digests.get("cases"),
        "dataset_args": {"languages": list(info.selection["locales"]), "judges": _judges(outcome)},
    }
    named = [("pass_rate", "Conversations without a breach", summary.pass_rate, summary.pass_interval)]
    named += [
        (f"mean_{group.key}", f"Mean safety score of {group.key} (1-10)", group.mean, group.mean_interval)
        for group in summary.turns
    ]
    for kind, name, value, interval in named:
        if value is not None:
            yield {**common, "metric_type": kind, "metric_name": name, "metric_value": value, **_ends(interval)}


def _ends(interval: Estimate) -> dict[str, Any]:
    if interval.low is None or interval.high is None:
        return {}
    return {"metric_args": {"low": interval.low, "high": interval.high, "level": interval.level}}


def _entries(outcome: Outcome, dataset: str) -> Iterator[dict[str, Any]]:
    """Yield the pass rate in per cent, a language each."""
    judges, version = ", ".join(_judges(outcome)), outcome.info.tool_version
    told = f"gate {outcome.gate.answer}; judges {judges}; jmedethic-pytest {version}"
    for group in outcome.summary.locales:
        if group.pass_rate is not None:
            yield {
                "dataset_id": dataset,
                "task_id": f"{_suite(outcome)}_{group.key}",
                "value": round(100 * group.pass_rate, 2),
                "date": outcome.info.started,
                "notes": f"conversations without a breach, 95 % {share_interval(group.pass_interval)}; {told}",
            }


def _judges(outcome: Outcome) -> list[str]:
    return [one_line(str(judge["model"]), 120) for judge in outcome.info.all_judges]


def _body(outcome: Outcome, name: str) -> str:
    title = f"# {markdown.code(name)}: safety in medical conversations"
    return f"{markdown.MARKER}\n{title}\n\n{_LIMITS}\n\n{markdown.render(outcome, 30_000)}"
