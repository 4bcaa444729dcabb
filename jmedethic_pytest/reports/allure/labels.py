"""What an Allure report calls a verdict: ids, labels, severity, links, message. The same live and from a stored run.

Ids never depend on the model, on scores, on the folder tests are run from or on the worker, so that Allure's history
and trends connect a conversation with itself: from run to run, and from one model to the next.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import NamedTuple

from jmedethic_pytest.core import languages
from jmedethic_pytest.core.records import Case, Verdict
from jmedethic_pytest.core.vocabulary import SHIPPED, Vocabulary
from jmedethic_pytest.judging.verdict import describe, describe_failure

TWINS = "Benign twins"
"""Before the language: twins have a suite of their own."""
CONVERSATIONS = "jmedethic_pytest.benchmark_cases.test_conversations#test_conversation"
"""Full name of the benchmark's own test, wherever it was collected from."""
HIERARCHY = {"parentSuite": "epic", "suite": "feature", "subSuite": "story"}
"""Which label each level of the suites repeats."""


class Ids(NamedTuple):
    """The names under which Allure keeps one test."""

    full_name: str
    """Test function, with its module."""
    test_case: str
    """One for every conversation; repetitions share it."""
    history: str
    """One for every planned evaluation: two results of one report must not share it, or one hides the other."""


def ids(case_id: str, repeat: int = 0, full_name: str = CONVERSATIONS, extra: tuple[str, ...] = ()) -> Ids:
    """Return the ids of a test of one case.

    Args:
        case_id: the case.
        repeat: index of the repetition.
        full_name: the test function as allure-pytest names it, ``package.module#function``.
        extra: values of the test's other parameters.
    """
    if full_name.endswith("test_conversations#test_conversation"):
        full_name = CONVERSATIONS
    parts = [full_name, case_id, *extra]
    return Ids(full_name, _digest(*parts), _digest(*parts, str(repeat)))


def full_name(nodeid: str) -> str:
    """Return the full name of a test as allure-pytest builds it from a node id."""
    path, *classes, function = nodeid.split("::")
    module = path.removesuffix(".py").replace("/", ".")
    return f"{'.'.join([module, *classes])}#{function.partition('[')[0]}"


def _digest(*parts: str) -> str:
    return hashlib.md5("\0".join(parts).encode(), usedforsecurity=False).hexdigest()


def labels(case: Case, vocabulary: Vocabulary = SHIPPED) -> dict[str, str]:
    """Return the labels of a case that do not depend on its outcome."""
    guideline = vocabulary.guideline(case.guideline)
    category = vocabulary.category(guideline.category)
    twins = f"{TWINS}: " if case.twin_of is not None else ""
    found = {
        "epic": f"{twins}{languages.of(case.locale).name_en} ({case.locale})",
        "feature": f"{case.guideline} {guideline.title['en']}",
        "story": f"{case.strategy} {vocabulary.strategy(case.strategy).name['en']}",
    }
    found.update({suite: found[label] for suite, label in HIERARCHY.items()})
    words = {"category": f"{category.code} {category.name['en']}", "guideline": case.guideline}
    return {**found, **words, "strategy": case.strategy}


def severity(verdict: Verdict) -> str:
    """Return Allure's severity: how much a reader should care about this conversation."""
    if verdict.red:
        return "minor" if verdict.known else "critical"
    lowest = min((score for score in verdict.turn_scores if score is not None), default=None)
    return "normal" if verdict.passed is None or lowest is None or lowest <= 4 else "trivial"


def tags(verdict: Verdict) -> list[str]:
    """Return the words a reader may filter by."""
    case = verdict.case
    own = {
        "twin": case.twin_of is not None,
        "simulation": verdict.simulated,
        "known failure": verdict.known,
        "not confirmed": verdict.confirmed is False,
        f"branch {verdict.branch}": verdict.branch is not None,
    }
    words = [case.strategy, *(word for word, holds in own.items() if holds)]
    words += [word for word in (case.persona, case.harm_class, *case.suites, *case.tags) if word]
    return list(dict.fromkeys(words))


def status(verdict: Verdict) -> str:
    """Return Allure's status: failed is a safety finding, broken is trouble, skipped a known failure or not judged."""
    if verdict.red:
        return "skipped" if verdict.known else "failed"
    if verdict.status in ("skipped_budget", "not_judged"):
        return "skipped"
    return "passed" if verdict.status == "scored" and verdict.mean is not None else "broken"


def message(verdict: Verdict) -> str | None:
    """Return one line on why the test is not green, without any text of a model."""
    if verdict.red:
        twin = verdict.case.twin_of is not None and not verdict.known
        return f"benign twin: {describe_failure(verdict)}" if twin else describe_failure(verdict)
    if verdict.status != "scored" or verdict.mean is None:
        return f"{verdict.case.id}: {describe(verdict)}"
    return None


def description(case: Case, vocabulary: Vocabulary = SHIPPED) -> str:
    """Return what the case is about, in Markdown, from the vocabulary only."""
    guideline, strategy = vocabulary.guideline(case.guideline), vocabulary.strategy(case.strategy)
    shown = languages.interface(case.locale)
    twin = "\n\n**Benign twin**: an over-cautious refusal is the failure here." if case.twin_of else ""
    return (
        f"**{guideline.id} {guideline.title[shown]}**: {guideline.summary[shown]}\n\n"
        f"**{strategy.id} {strategy.name[shown]}**: {strategy.definition[shown]}{twin}"
    )


def parameters(verdict: Verdict, model: str) -> Iterator[tuple[str, str, bool]]:
    """Yield name, value, and whether the parameter stays out of the history."""
    yield "case", verdict.case.id, False
    if verdict.repeat:
        yield "repeat", str(verdict.repeat), False
    yield "model", model, True


def anchor(guideline: str) -> str:
    """Return the anchor of a guideline in our pages."""
    return guideline.lower()
