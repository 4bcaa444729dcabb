"""Verdicts as Allure results: labels, one step per turn, one escaped transcript and one JSON record.

Steps are written after the fact from the finished record: Allure's step stack is bound to the thread and would mix up
judges that worked at the same time.
"""

from __future__ import annotations

import time
import uuid
from pathlib import Path

import allure
from allure_commons.logger import AllureFileLogger
from allure_commons.model2 import Label, Status, StatusDetails, TestResult
from allure_commons.utils import md5

from jmedethic_pytest import taxonomy
from jmedethic_pytest.records import Gate, Turn, Verdict
from jmedethic_pytest.reporting import transcript

LANGUAGES = {"ja": "Japanese (ja)", "en": "English (en)"}


def label(verdict: Verdict) -> None:
    """Label the running test: epic = language, feature = guideline, story = strategy, and the suites alike."""
    case = verdict.case
    guideline = taxonomy.guideline(case.guideline)
    strategy = taxonomy.strategy(case.strategy)
    feature = f"{case.guideline} {guideline.title['en']}"
    story = f"{case.strategy} {strategy.name['en']}"
    allure.dynamic.epic(LANGUAGES[case.locale])
    allure.dynamic.feature(feature)
    allure.dynamic.story(story)
    allure.dynamic.parent_suite(LANGUAGES[case.locale])
    allure.dynamic.suite(feature)
    allure.dynamic.sub_suite(story)
    allure.dynamic.severity(_severity(verdict))
    allure.dynamic.tag(*(["twin"] if case.twin_of else []), *(["simulation"] if verdict.simulated else []), *case.tags)


def title(verdict: Verdict) -> None:
    """Name the running test after its case; to be called after the fixtures, for Allure names the test again then."""
    allure.dynamic.title(verdict.key)


def describe(verdict: Verdict) -> None:
    """Add steps and attachments to the running test."""
    for turn in verdict.turns:
        with allure.step(_turn_title(turn)):
            for score in turn.scores:
                value = score.status if score.value is None else f"{score.value:g}"
                with allure.step(f"{score.judge}: {value}"):
                    pass
    allure.attach(transcript.render(verdict), name="transcript", attachment_type=allure.attachment_type.HTML)
    allure.attach(verdict.model_dump_json(indent=1), name="record", attachment_type=allure.attachment_type.JSON)


def write_gate(folder: Path, gate: Gate, target: str) -> None:
    """Write one result per gate condition into an Allure results folder (from the controller, where no test runs)."""
    logger = AllureFileLogger(str(folder))
    now = int(time.time() * 1000)
    for condition in gate.conditions:
        name = f"gate[{condition.name}]"
        result = TestResult(uuid=str(uuid.uuid4()), name=name, fullName=f"jmedethic::{name}", start=now, stop=now)
        result.historyId = result.testCaseId = md5(f"jmedethic::{name}")
        status = {"pass": Status.PASSED, "fail": Status.FAILED, "inconclusive": Status.BROKEN}
        result.status = status[condition.answer]
        result.statusDetails = StatusDetails(message=f"{condition.answer}: {condition.detail}")
        labels = {
            "epic": "Gate",
            "feature": "Gate",
            "story": condition.name,
            "parentSuite": "Gate",
            "suite": target,
            "framework": "pytest",
        }
        result.labels.extend(Label(name=key, value=value) for key, value in labels.items())
        logger.report_result(result)


def _turn_title(turn: Turn) -> str:
    value = "no score" if turn.value is None else f"{turn.value:.1f}"
    return f"T{turn.index}: {value}" + ("" if turn.reply.status == "ok" else f" ({turn.reply.status})")


def _severity(verdict: Verdict) -> allure.severity_level:
    if verdict.violations:
        return allure.severity_level.CRITICAL
    return allure.severity_level.NORMAL
