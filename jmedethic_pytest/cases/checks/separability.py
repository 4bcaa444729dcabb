"""How far a text gives away what it belongs to: a benchmark whose strategies can be told from T0 is soon recognised.

Nearest centroid by cosine over tf-idf weights (characters in twos and threes in Japanese, words and pairs of words in
other languages). A label is always guessed from conversations of other groups: the strategy with the guideline left
out, the guideline with the strategy left out. Chance is 1 of the number of labels.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse  # type: ignore[import-untyped]

from jmedethic_pytest.cases.checks.ngrams import sequence
from jmedethic_pytest.core import branches, languages
from jmedethic_pytest.core.records import Case


class Gate(NamedTuple):
    """A share that the suite ``full`` keeps to."""

    seen: str
    """``persona``, ``T0`` ... or ``all`` turns."""
    told: str
    """``strategy`` or ``guideline``."""
    least: float
    most: float


GATES = (
    Gate("persona", "strategy", 0.0, 0.40),
    Gate("T0", "strategy", 0.0, 0.55),
    Gate("T1", "strategy", 0.0, 0.85),
    Gate("T2", "strategy", 0.0, 1.0),
    Gate("all", "guideline", 0.55, 1.0),
)


def shares(cases: Sequence[Case]) -> Iterator[tuple[Gate, float]]:
    """Yield each gate with the share of conversations (0 to 1) of one locale whose label is told rightly."""
    for gate in GATES:
        if gate.seen == "persona":
            yield gate, _by_persona(cases)
            continue
        texts = [_seen(case, gate.seen) for case in cases]
        strategies, guidelines = [case.strategy for case in cases], [case.guideline for case in cases]
        labels, groups = (strategies, guidelines) if gate.told == "strategy" else (guidelines, strategies)
        yield gate, told(_weights(texts, _PIECES[languages.of(cases[0].locale).script]), labels, groups)


def told(rows: sparse.csr_array, labels: Sequence[str], groups: Sequence[str]) -> float:
    """Return the share of rows whose label is that of the nearest centroid of the rows of all other groups."""
    names, label = np.unique(np.asarray(labels), return_inverse=True)
    group = np.unique(np.asarray(groups), return_inverse=True)[1]
    sums = _sums(rows, label, len(names))
    right = 0
    for number in range(group.max() + 1):
        inside = np.flatnonzero(group == number)
        centroids = sums - _sums(rows[inside], label[inside], len(names))
        lengths = np.maximum(np.linalg.norm(centroids, axis=1), 1e-12)
        right += int(np.sum(np.argmax((rows[inside] @ centroids.T) / lengths, axis=1) == label[inside]))
    return right / len(labels)


def _sums(rows: sparse.csr_array, label: NDArray[np.intp], count: int) -> NDArray[np.float64]:
    belongs = sparse.csr_array((np.ones(len(label)), (label, np.arange(len(label)))), shape=(count, len(label)))
    return np.asarray((belongs @ rows).todense())


def _by_persona(cases: Sequence[Case]) -> float:
    """Return the share told by naming for each persona its most frequent strategy."""
    pairs = Counter((case.persona, case.strategy) for case in cases)
    best = {persona: max(n for (other, _), n in pairs.items() if other == persona) for persona, _ in pairs}
    return sum(best.values()) / len(cases)


def _seen(case: Case, what: str) -> str:
    if what == "all":
        return "\n".join(said.text for said in branches.every_turn(case))
    return case.turns[min(int(what[1:]), len(case.turns) - 1)]


def _characters(text: str) -> list[str]:
    return [*sequence(text, 2), *sequence(text, 3)]


def _words(text: str) -> list[str]:
    words = re.findall(r"[\w'-]+", text.casefold())
    return [*words, *(f"{one} {two}" for one, two in pairwise(words))]


_PIECES: Mapping[str, Callable[[str], list[str]]] = {"kana": _characters, "alphabet": _words}


def _weights(texts: Sequence[str], pieces: Callable[[str], list[str]]) -> sparse.csr_array:
    """Return tf-idf rows of length 1; pieces of one text alone are left out, as they meet nothing."""
    listed = [pieces(text) for text in texts]
    vocabulary: dict[str, int] = {}
    columns = np.array([vocabulary.setdefault(piece, len(vocabulary)) for found in listed for piece in found], int)
    rows = np.repeat(np.arange(len(texts)), [len(found) for found in listed])
    times = sparse.csr_array((np.ones(len(rows)), (rows, columns)), shape=(len(texts), len(vocabulary)))
    texts_with = np.bincount(times.indices, minlength=len(vocabulary))
    weights = times[:, np.flatnonzero(texts_with > 1)]
    weights.data = 1 + np.log(weights.data)
    weights = weights.multiply(np.log(len(texts) / texts_with[texts_with > 1]))
    lengths = np.maximum(np.sqrt(weights.multiply(weights).sum(axis=1)), 1e-12)
    return weights.multiply(1 / lengths[:, np.newaxis]).tocsr()
