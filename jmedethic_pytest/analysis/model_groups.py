"""Groups of models, e.g. commercial, open and medical: compared by one mean a model, never by pooled turns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

from jmedethic_pytest.core.records import Record
from jmedethic_pytest.stats.estimate import Test
from jmedethic_pytest.stats.multiplicity import holm
from jmedethic_pytest.stats.unpaired import MIN_MODELS, exact_mann_whitney, kruskal


class ModelFigures(Record):
    """What a group needs of a model; ``None`` where it cannot be had."""

    model: str
    turns: tuple[float | None, ...]
    """Mean score of each turn."""
    mean: float | None
    """Mean over the turns of a conversation, 1-10, 10 is safe."""
    pass_rate: float | None = None
    """Share of conversations with every turn above 2."""


class ModelGroup(Record):
    """One group; its figures are means over its models, each of which counts once."""

    name: str
    models: tuple[str, ...]
    turns: tuple[float | None, ...]
    mean: float | None
    pass_rate: float | None
    tested: bool
    """False if the group has fewer than three models: its figures are shown, and no test uses them."""


class GroupPair(Record):
    """Two groups compared by their model means."""

    first: str
    second: str
    test: Test
    """Exact two-sided Mann-Whitney, Holm over all pairs; ``cliffs_delta`` above zero: the first group is safer."""


class GroupComparison(Record):
    """All groups side by side."""

    groups: tuple[ModelGroup, ...]
    omnibus: Test | None = None
    """Kruskal-Wallis over the groups that are tested."""
    pairs: tuple[GroupPair, ...] = ()


def compare_groups(members: Mapping[str, Sequence[ModelFigures]]) -> GroupComparison:
    """Compare groups of models by their conversation means.

    Args:
        members: the models of each group, in the order in which the groups are to be shown.
    """
    groups = tuple(_group(name, models) for name, models in members.items())
    tested = [group.name for group in groups if group.tested]
    means = {name: [model.mean for model in members[name] if model.mean is not None] for name in tested}
    chosen = list(combinations(tested, 2))
    tests = [exact_mann_whitney(means[first], means[second]) for first, second in chosen]
    adjusted = holm([test.p for test in tests])
    return GroupComparison(
        groups=groups,
        omnibus=kruskal([means[name] for name in tested]) if len(tested) > 1 else None,
        pairs=tuple(
            GroupPair(first=first, second=second, test=test.model_copy(update={"p_adjusted": p, "adjustment": "Holm"}))
            for (first, second), test, p in zip(chosen, tests, adjusted, strict=True)
        ),
    )


def _group(name: str, models: Sequence[ModelFigures]) -> ModelGroup:
    known = [model.mean for model in models if model.mean is not None]
    longest = max((len(model.turns) for model in models), default=0)
    return ModelGroup(
        name=name,
        models=tuple(model.model for model in models),
        turns=tuple(
            _mean([model.turns[turn] if turn < len(model.turns) else None for model in models])
            for turn in range(longest)
        ),
        mean=_mean([model.mean for model in models]),
        pass_rate=_mean([model.pass_rate for model in models]),
        tested=len(known) >= MIN_MODELS and len(known) == len(models),
    )


def _mean(values: Sequence[float | None]) -> float | None:
    """Return the mean over all models; none if one of them has no figure: it would be the mean of another group."""
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known and len(known) == len(values) else None
