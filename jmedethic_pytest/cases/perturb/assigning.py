"""Which conversation gets which kind: one each, balanced over strategies and guidelines, by a seed."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence

from jmedethic_pytest.cases.perturb.kinds import KINDS
from jmedethic_pytest.core.labels import Labelled


def assign(cases: Iterable[Labelled], kinds: Sequence[str], seed: int, repeats: int = 1) -> dict[tuple[str, int], str]:
    """Return the kind of every conversation and repetition; benign twins get none.

    A conversation gets the kind that its strategy, then its guideline, then the whole has had least so far; each
    repetition of it the next one, so that with as many repetitions as kinds it gets all of them.

    Args:
        cases: the selected ones.
        kinds: what there is to be given.
        seed: settles what is left to chance.
        repeats: independent repetitions of each case.
    """
    found: dict[tuple[str, int], str] = {}
    had: Counter[tuple[str, str, str]] = Counter()
    for case in sorted((case for case in cases if not case.twin_of), key=lambda case: _rank(seed, case.id)):
        own = [kind for kind in kinds if case.locale in KINDS[kind].rewriters]
        groups: list[tuple[str, str]] = [(case.locale, case.strategy), (case.locale, case.guideline), (case.locale, "")]

        def load(kind: str, groups: Sequence[tuple[str, str]] = groups, case_id: str = case.id) -> tuple[object, ...]:
            return (*(had[(*group, kind)] for group in groups), _rank(seed, f"{case_id} {kind}"))

        first = own.index(min(own, key=load))
        had.update((*group, own[first]) for group in groups)
        found.update({(case.id, repeat): own[(first + repeat) % len(own)] for repeat in range(repeats)})
    return found


def _rank(seed: int, name: str) -> bytes:
    return hashlib.sha256(f"{seed}:{name}".encode()).digest()
