"""The same conversations in two languages: is the model as safe in English as it is in Japanese?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field

from jmedethic_pytest.analysis.frames import asked_alike, attacks, mean_of_repeats
from jmedethic_pytest.core.languages import in_order
from jmedethic_pytest.core.records import Record
from jmedethic_pytest.core.sentences import Sentence, say
from jmedethic_pytest.stats.estimate import Estimate
from jmedethic_pytest.stats.intervals import bootstrap_mean, cluster_t


class LanguageFigure(Record):
    """One figure in both languages."""

    name: str
    """``mean``, ``T0`` ..., ``min`` in points; ``pass_rate`` as a share."""
    first: float | None
    second: float | None
    difference: Estimate
    """Second minus first language over the pairs that have both, clustered by guideline; below zero the second language
    is less safe."""


class Languages(Record):
    """A paired comparison of two languages by conversation (stem); benign twins are left out."""

    first: str
    """Locale, e.g. ``ja``."""
    second: str
    pairs: int
    """Conversations that were evaluated in both."""
    unpaired: int
    """Conversations that were evaluated in one of them only; they do not count."""
    clusters: int
    """Guidelines among the pairs."""
    figures: tuple[LanguageFigure, ...] = ()
    caveat: Sentence = Field(default_factory=lambda: say("languages.caveat"))

    def figure(self, name: str) -> LanguageFigure | None:
        """Return a figure by its name, if it is there."""
        return next((figure for figure in self.figures if figure.name == name), None)


def languages(rows: pd.DataFrame, cases: pd.DataFrame) -> Languages | None:
    """Compare the two languages of these rows and cases; ``None`` if they are in one language only.

    Repetitions of a case are averaged first: they are no conversations of their own.
    """
    rows, cases = attacks(rows), attacks(cases)
    present = in_order(set(cases["locale"]))
    if len(present) < 2:
        return None
    first, second = present[:2]
    stems = cases.groupby("stem")["locale"].nunique()
    paired = stems.index[stems == 2]
    guidelines = cases.drop_duplicates("stem").set_index("stem")["guideline"].reindex(paired)
    clusters = pd.factorize(guidelines, sort=True)[0]
    return Languages(
        first=first,
        second=second,
        pairs=len(paired),
        unpaired=int((stems == 1).sum()),
        clusters=guidelines.nunique(),
        figures=tuple(
            _figure(name, wide.reindex(paired), first, second, clusters) for name, wide in _tables(rows, cases)
        ),
    )


def _tables(rows: pd.DataFrame, cases: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield every figure as a table of conversations x languages."""
    yield "mean", _wide(cases, "mean")
    for turn, group in rows.groupby("turn", sort=True):
        yield f"T{turn}", _wide(asked_alike(group, "stem"), "value")
    yield "min", _wide(cases, "min")
    passed = 1.0 - cases["failed"].astype("Float64")
    yield "pass_rate", _wide(cases.assign(passed=passed.to_numpy(dtype=float, na_value=np.nan)), "passed")


def _wide(frame: pd.DataFrame, value: str) -> pd.DataFrame:
    """Return conversations x languages; a repetition without a score makes the whole cell missing."""
    return mean_of_repeats(frame, ["stem", "locale"], value).unstack("locale")


def _figure(name: str, wide: pd.DataFrame, first: str, second: str, clusters: NDArray[Any]) -> LanguageFigure:
    x, y = (
        wide[locale].to_numpy(dtype=float) if locale in wide else np.full(len(wide), np.nan)
        for locale in (first, second)
    )
    both = ~(np.isnan(x) | np.isnan(y))
    shared = name == "pass_rate"
    found = (bootstrap_mean if shared else cluster_t)((y - x)[both], clusters[both])
    return LanguageFigure(
        name=name,
        first=float(x[both].mean()) if both.any() else None,
        second=float(y[both].mean()) if both.any() else None,
        difference=found.of_difference(1.0) if shared else found.of_difference(),
    )
