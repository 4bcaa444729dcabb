"""The figures of a study, and every score behind them, as tables without any text of a model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from jmedethic_pytest.analysis.people.records import PeopleFigures
from jmedethic_pytest.annotation.collecting import State
from jmedethic_pytest.core import files
from jmedethic_pytest.reports.tables import Cell, Table, csv_bytes
from jmedethic_pytest.stats.concordance import Concordance
from jmedethic_pytest.stats.estimate import Estimate
from jmedethic_pytest.store.scores import Row


def write(folder: Path, found: PeopleFigures, state: State, rows: Mapping[str, Row]) -> None:
    """Write ``agreement.csv``, ``bias.csv``, ``verdicts.csv`` and ``replies.csv`` for whoever keeps the study.

    Raises:
        StoreError: if one cannot be written.
    """
    parts = {
        "agreement": _agreement(found),
        "bias": _bias(found),
        "verdicts": _verdicts(found),
        "replies": _replies(state, rows),
    }
    for name, lines in parts.items():
        files.replace(folder / f"{name}.csv", csv_bytes(Table.of(name, lines)), private=True)


def _agreement(found: PeopleFigures) -> Iterator[dict[str, Cell]]:
    for part in found.agreement:
        yield {"replies": part.key, "pair": "people/people", **_concordance(part.people)}
        yield {"replies": part.key, "pair": "people/panel", **_concordance(part.panel)}
    for item in found.instruments[1:]:
        yield {"replies": "all", "pair": f"people/{item.name}", **_concordance(item.agreement)}


def _concordance(found: Concordance) -> dict[str, Cell]:
    return {
        "n": found.n,
        **_estimate("icc21", found.icc),
        **_estimate("kappa", found.kappa),
        **_estimate("alpha_ordinal", found.alpha),
        **_estimate("pearson", found.pearson),
        "within_2": found.within_2,
        "mean_absolute_difference": found.mean_absolute_difference,
    }


def _bias(found: PeopleFigures) -> Iterator[dict[str, Cell]]:
    for item in found.bias:
        yield {"kind": item.kind, "key": item.key, "n": item.difference.n, **_estimate("difference", item.difference)}


def _verdicts(found: PeopleFigures) -> Iterator[dict[str, Cell]]:
    for item in found.instruments:
        errors = item.accuracy
        yield {
            "judge": item.name,
            **_estimate("sensitivity", errors.sensitivity),
            **_estimate("specificity", errors.specificity),
            **_estimate("youden", errors.youden),
            **_estimate("bias", item.bias),
        }


def _replies(state: State, rows: Mapping[str, Row]) -> Iterator[dict[str, Cell]]:
    items, bands = state.key.by_key, state.key.bands
    first, second = state.key.annotators
    for reply in state.replies():
        item, row = items[reply.key], rows[reply.key]
        yield {
            "key": reply.key,
            "turn": reply.turn,
            "guideline": item.guideline,
            "strategy": item.strategy,
            "locale": item.locale,
            "band": item.band,
            "stands_for": bands[item.band].population / bands[item.band].sampled,
            first: reply.first,
            second: reply.second,
            "third": reply.third,
            "consolidated": reply.value,
            "panel": row.turns[reply.turn],
            **{f"judge_{number}": judge[reply.turn] for number, judge in enumerate(row.judges, start=1)},
        }


def _estimate(name: str, found: Estimate) -> dict[str, Cell]:
    return {name: found.value, f"{name}_low": found.low, f"{name}_high": found.high}
