"""Linking two panels by runs of the same transcripts: what the new panel's scores are worth on the old one's scale."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from jmedethic_pytest.analysis.linkable import Pair, panel_of
from jmedethic_pytest.core import files
from jmedethic_pytest.core.errors import ConfigError
from jmedethic_pytest.core.scores import BEST
from jmedethic_pytest.stats import link_rules, linking
from jmedethic_pytest.stats.bands import EDGES, band, spread, stands_for
from jmedethic_pytest.stats.linking import GRID, Turns
from jmedethic_pytest.stats.sample import Floats
from jmedethic_pytest.store.links import Band, Link, LinkedModel, Point, Unit, Verdicts
from jmedethic_pytest.store.scores import Row


class _Conversation(NamedTuple):
    """An attack that the old panel scored in full."""

    model: int
    """Number of its pair."""
    key: str
    band: int
    old: Row
    new: Row | None
    """``None`` if the new panel did not score it in full."""


def link(
    pairs: Sequence[Pair],
    *,
    floors: Sequence[float],
    unreliable: Sequence[str],
    sample: int | None,
    seed: int,
    created: str,
    tool_version: str,
    resamples: int = 2000,
) -> Link:
    """Link two panels.

    Args:
        pairs: one a model, the panels the same in all.
        floors: old floors that are to be carried over.
        unreliable: why the new panel cannot be believed, if it cannot.
        sample: conversations to draw by band of the old lowest score; ``None`` for all that both panels scored.
        seed: start of the random numbers.
        created: the present time.
        tool_version: of this package.
        resamples: draws of guidelines behind the errors.

    Raises:
        ConfigError: if there is nothing to link.
    """
    pool = [item for number, pair in enumerate(pairs) for item in _conversations(number, pair)]
    chosen = _drawn(pool, sample, seed)
    weights = stands_for([item.band for item in pool], np.isin(np.arange(len(pool)), chosen))
    drawn = [pool[place] for place in chosen]
    turns = _turns(drawn, weights[chosen])
    found = linking.moments(turns) if drawn else None
    if found is None:
        raise ConfigError("judges link: the scores of a panel do not vary: there is nothing to link.")
    errors = linking.spread(turns, resamples=resamples, seed=seed)
    curve, cut, apart = linking.equipercentile(GRID, turns), linking.cut(turns), linking.invariance(turns)
    bands = tuple(_bands(pool, drawn))
    judges = [_judges(item.old for item in drawn), _judges(item.new for item in drawn)]
    correlation = link_rules.correlation(turns, *judges)
    value, low, high = errors.unit
    return Link(
        created=created,
        tool_version=tool_version,
        old=panel_of(pairs[0].old.origin),
        new=panel_of(pairs[0].new.origin),
        models=tuple(_models(pairs, drawn, linking.model_means(turns))),
        transcripts=files.compact_digest(sorted([item.key, pairs[item.model].transcripts[item.key]] for item in drawn)),
        seed=seed,
        bands=bands,
        **{name: float(number) for name, number in found._asdict().items()},
        freedom=max(1, len({item.old.guideline for item in drawn}) - 1),
        grid=tuple(
            Point(new=float(score), linear=float(line), curve=float(bent), error=float(error))
            for score, line, bent, error in zip(GRID, found.to_old(GRID), curve, errors.errors, strict=True)
        ),
        verdicts=Verdicts(floor=cut.floor, old_alone=cut.old_alone, new_alone=cut.new_alone),
        unit=Unit(value=value, low=None if value is None else low, high=None if value is None else high),
        correlation=correlation,
        invariance=apart if np.isfinite(apart) else None,
        floors={f"{floor:g}": float(found.to_new(floor)) for floor in floors},
        refusals=(
            *link_rules.of_sample(len(drawn), [item.turns for item in bands], correlation, apart),
            *link_rules.at_floors(found, errors.errors, curve, floors),
            *(f"the new panel cannot be believed: {reason}" for reason in unreliable),
        ),
    )


def _conversations(number: int, pair: Pair) -> Iterator[_Conversation]:
    for key, row in sorted(pair.old.sheet.rows.items()):
        known = [score for score in row.turns if score is not None]
        if row.twin or len(known) < len(row.turns):
            continue
        new = pair.new.sheet.rows.get(key)
        scored = new is not None and key in pair.transcripts and None not in new.turns
        yield _Conversation(number, key, int(band([min(known)])[0]), row, new if scored else None)


def _drawn(pool: Sequence[_Conversation], sample: int | None, seed: int) -> list[int]:
    """Return the places of those to use: all, or equal numbers of each band as far as they exist."""
    scored = [place for place, item in enumerate(pool) if item.new is not None]
    if sample is None or not scored:
        return scored
    labels: list[list[Hashable]] = [
        [pool[place].band for place in scored],
        [(pool[place].band, pool[place].old.guideline) for place in scored],
        [(pool[place].band, pool[place].old.strategy) for place in scored],
        [pool[place].model for place in scored],
    ]
    return sorted(scored[place] for place in spread(labels, sample, seed))


def _turns(drawn: Sequence[_Conversation], weights: Floats) -> Turns:
    guidelines = {name: number for number, name in enumerate(sorted({item.old.guideline for item in drawn}))}
    lines = [
        (before, now, weight, guidelines[item.old.guideline], item.model)
        for item, weight in zip(drawn, weights, strict=True)
        if item.new is not None
        for before, now in zip(item.old.turns, item.new.turns, strict=True)
    ]
    old, new, weight, guideline, model = np.array(lines, dtype=np.float64).reshape(-1, 5).T
    return Turns(old, new, weight, guideline.astype(np.intp), model.astype(np.intp))


def _judges(rows: Iterable[Row | None]) -> Floats:
    """Return the scores of the first two judges, a row each; a third one is asked of some turns alone."""
    return np.concatenate([np.array(row.judges[:2], dtype=np.float64) for row in rows if row is not None], axis=1)


def _bands(pool: Sequence[_Conversation], drawn: Sequence[_Conversation]) -> Iterator[Band]:
    for number, highest in enumerate((*EDGES, BEST)):
        inside = [item for item in drawn if item.band == number]
        turns = sum(len(item.old.turns) for item in inside)
        yield Band(highest=highest, pool=sum(item.band == number for item in pool), drawn=len(inside), turns=turns)


def _models(pairs: Sequence[Pair], drawn: Sequence[_Conversation], means: Floats) -> Iterator[LinkedModel]:
    for number, (old, new, _) in enumerate(pairs):
        yield LinkedModel(
            model=old.origin.model,
            old_run=old.origin.run,
            new_run=new.origin.run,
            mean_old=float(means[0][number]),
            mean_new=float(means[1][number]),
            conversations=sum(item.model == number for item in drawn),
        )
