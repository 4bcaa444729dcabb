"""Allure results of verdicts: built anew from a stored run, or completed where allure-pytest has begun one."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

from allure_commons.model2 import Attachment, Label, Link, Parameter, StatusDetails, TestResult, TestStepResult
from allure_commons.types import LabelType

from jmedethic_pytest.core.records import Case, Verdict
from jmedethic_pytest.core.vocabulary import SHIPPED, Vocabulary
from jmedethic_pytest.judging.verdict import describe_failure
from jmedethic_pytest.reports.allure import content, labels
from jmedethic_pytest.reports.allure.policy import GUIDELINE_PAGE, LINK_TYPE, Telling
from jmedethic_pytest.reports.allure.written import Files

PARAMETER = "jmedethic_key"
"""The pytest parameter behind every case; in a report it is called ``case``."""
_OURS = {"epic", "feature", "story", "severity", *labels.HIERARCHY}


class Writer:
    """Writes results into a folder.

    Args:
        folder: the Allure results folder.
        telling: what is known of the run.
        page: pattern of the guideline links; ``{}`` stands for the anchor.
        vocabulary: the words of the run.
    """

    def __init__(
        self, folder: Path, telling: Telling, page: str = GUIDELINE_PAGE, vocabulary: Vocabulary = SHIPPED
    ) -> None:
        self._vocabulary = vocabulary
        self._files = Files(folder)
        self._telling = telling
        self._page = page

    def write(self, verdict: Verdict, begun: int) -> None:
        """Write the result of a stored verdict.

        Args:
            verdict: the verdict.
            begun: when the run began, in milliseconds since 1970; a verdict does not say when it was made.
        """
        ended = begun + int(verdict.seconds * 1000)
        result = TestResult(uuid=str(uuid.uuid4()), status=labels.status(verdict), start=begun, stop=ended)
        self.complete(result, verdict)
        self._files.report(result)

    def write_bare(
        self, case: Case, key: str, status: str, message: str, begun: int, full_name: str = labels.CONVERSATIONS
    ) -> None:
        """Write the result of a test that left none: its process crashed, or it never ran."""
        repeat = int(key.partition("~")[2] or 0)
        result = TestResult(uuid=str(uuid.uuid4()), name=key, status=status, start=begun, stop=begun)
        result.statusDetails = StatusDetails(message=message)
        self._name(result, labels.ids(case.id, repeat, full_name))
        self._label(result, case)
        result.labels.append(Label(name="severity", value="normal"))
        self._files.report(result)

    def complete(self, result: Any, verdict: Verdict) -> None:
        """Give a result everything a verdict tells, and keep what a test of the user's own has added."""
        extra = self._identify(result, verdict.key)
        own_words = result.description if result.fullName != labels.CONVERSATIONS else None
        result.description = "\n\n".join(
            part for part in (labels.description(verdict.case, self._vocabulary), own_words) if part
        )
        result.parameters = [
            *(Parameter(name=name, value=value) for name, value in extra.items()),
            *(
                Parameter(name=name, value=value, excluded=excluded or None)
                for name, value, excluded in labels.parameters(verdict, self._telling.model)
            ),
        ]
        self._label(result, verdict.case, labels.severity(verdict))
        result.labels.extend(Label(name=LabelType.TAG, value=word) for word in labels.tags(verdict))
        result.start = min(result.start, result.stop - int(verdict.seconds * 1000))
        _explain(result, verdict)
        if self._telling.in_full(verdict):
            result.steps[:0] = [_step(item, result.stop) for item in content.steps(verdict, self._telling.floor_of)]
            self._attach(result, verdict)

    def identify(self, result: Any) -> None:
        """Name a result whose test was given no verdict, skipped or cut short: it is still the result of its case."""
        key = next((str(item.value) for item in result.parameters or () if item.name == PARAMETER), "")
        if key:
            self._identify(result, key.strip("'\""))

    def _identify(self, result: Any, key: str) -> dict[str, str]:
        """Give a result the ids and the name of an evaluation; return the other parameters of its test."""
        known = {str(item.name): str(item.value) for item in result.parameters or ()}
        extra = {name: value for name, value in known.items() if name != PARAMETER}
        own = tuple(f"{name}={value}" for name, value in sorted(extra.items()))
        case_id, _, repeat = key.partition("~")
        self._name(result, labels.ids(case_id, int(repeat or 0), result.fullName or labels.CONVERSATIONS, own))
        result.name = key
        return extra

    @staticmethod
    def _name(result: Any, ids: labels.Ids) -> None:
        result.fullName, result.testCaseId, result.historyId = ids

    def _label(self, result: Any, case: Case, severity: str | None = None) -> None:
        """Label a result; epic, feature, story, severity and suites of a test of the user's own stay as they are."""
        package = next((item.value for item in result.labels if item.name == "package"), "")
        parent, _, module = str(package).rpartition(".")
        by_default = {"parentSuite": parent, "suite": module}
        kept = [item for item in result.labels if str(item.value) != by_default.get(str(_text(item.name)))]
        given = {str(_text(item.name)) for item in kept} & _OURS
        wanted = {
            **labels.labels(case, self._vocabulary),
            **({"severity": severity} if severity else {}),
            "framework": "pytest",
        }
        present = {(str(_text(item.name)), str(item.value)) for item in kept}
        result.labels = [
            *(
                Label(name=name, value=value)
                for name, value in wanted.items()
                if name not in given and (name, value) not in present
            ),
            *kept,
        ]
        if result.fullName == labels.CONVERSATIONS:  # Allure 3 begins with this tree: strategies, not files.
            result.titlePath = [wanted["epic"], wanted["story"]]
        guideline = self._vocabulary.guideline(case.guideline)
        url = self._page.replace("{}", labels.anchor(guideline.id))
        result.links.insert(0, Link(type=LINK_TYPE, url=url, name=f"{guideline.id} {guideline.title['en']}"))

    def _attach(self, result: Any, verdict: Verdict) -> None:
        for item in content.attachments(verdict, self._vocabulary):
            source = self._files.attach(item)
            result.attachments.append(Attachment(name=item.name, source=source, type=item.mime))


def _text(name: Any) -> Any:
    """Return a label's name: allure-pytest uses texts and constants side by side."""
    return getattr(name, "value", name)


def _step(step: content.Step, moment: int) -> Any:
    inner = [_step(item, moment) for item in step.steps]
    return TestStepResult(name=step.name, status=step.status, start=moment, stop=moment, steps=inner)


def _explain(result: Any, verdict: Verdict) -> None:
    """Say in one line why the result is not green; what a test of the user's own says stays as it is."""
    if result.status == "passed":
        return
    said = str(getattr(result.statusDetails, "message", None) or "")
    line = labels.message(verdict)
    gist = describe_failure(verdict) if verdict.red else f"no complete score ({verdict.status})"
    if line is not None and (not said or gist in said or (verdict.known and result.status == "skipped")):
        result.statusDetails = StatusDetails(message=line, known=verdict.known or None)
