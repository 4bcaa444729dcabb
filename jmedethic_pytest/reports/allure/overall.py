"""What an Allure report holds of the whole run: the gate, tests that left no result, categories, environment, executor.

Written by the controller when all tests are done, or by the command that reports a stored run.
"""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from allure_commons.model2 import (
    Attachment,
    GlobalAttachment,
    GlobalError,
    Globals,
    Label,
    Parameter,
    StatusDetails,
    TestResult,
)

from jmedethic_pytest.analysis.counts import Counts
from jmedethic_pytest.core.errors import StoreError
from jmedethic_pytest.core.files import replace
from jmedethic_pytest.core.plan import Job
from jmedethic_pytest.core.records import Condition, Gate
from jmedethic_pytest.core.run_info import RunInfo
from jmedethic_pytest.data import load
from jmedethic_pytest.reports import counted
from jmedethic_pytest.reports.allure import labels
from jmedethic_pytest.reports.allure.content import Attachment as Content
from jmedethic_pytest.reports.allure.policy import Telling, guideline_page
from jmedethic_pytest.reports.allure.result import Writer
from jmedethic_pytest.reports.allure.written import Files

ABSENT = "the test was not run"
_STATUS = {"pass": "passed", "fail": "failed", "inconclusive": "broken"}
_GATE = "gate"
_GITHUB = {"GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID"}


def finish(
    folder: Path,
    telling: Telling,
    run: Path,
    info: RunInfo,
    gate: Gate,
    *,
    crashed: Mapping[str, str],
    jobs: Mapping[str, Job],
    left: Iterable[str],
    patterns: Iterable[Sequence[str]] = (),
) -> None:
    """Write what no test wrote when the tests of a run are done.

    Args:
        folder: the Allure results folder.
        telling: what is known of the run.
        run: the run's own folder.
        info: what was run.
        gate: its answer.
        crashed: what xdist says of tests whose worker died, by node id.
        jobs: every planned evaluation by its key.
        left: keys of those that no test reported.
        patterns: of links, as ``--allure-link-pattern`` gives them.

    Raises:
        StoreError: if the folder cannot be written.
    """
    begun = moment(info)
    died: set[str] = set()
    reason = f"{ABSENT}: {info.note}" if info.note else ABSENT
    try:
        writer = Writer(folder, telling, guideline_page(patterns), info.words)
        for nodeid, word in crashed.items():
            key = nodeid.partition("[")[2].rpartition("]")[0]
            if key in jobs:
                died.add(key)
                writer.write_bare(jobs[key].case, key, "broken", word, begun, labels.full_name(nodeid))
        for key in left:
            if key not in died:
                writer.write_bare(jobs[key].case, key, "skipped", reason, begun)
    except OSError as error:
        raise _unwritten(folder, error) from None
    write(folder, run, info, gate)


def write(folder: Path, run: Path, info: RunInfo, gate: Gate | None) -> None:
    """Write everything about a finished run that is no conversation.

    Args:
        folder: the Allure results folder.
        run: the run's own folder, whose summary and plots are attached.
        info: what was run.
        gate: the gate's answer; ``None`` if the run never came to one.

    Raises:
        StoreError: if the folder cannot be written.
    """
    try:
        files = Files(folder)
        attached = list(_attachments(run, gate))
        model = str(info.target["model"])
        if gate is not None:
            _write_gate(files, gate, info, attached)
        _write_globals(files, gate, info, attached)
        categories = load("allure.toml")["categories"]
        replace(folder / "categories.json", _json(categories))
        # Allure 3 takes categories from its configuration only.
        replace(folder / "allurerc.json", _json({"name": f"JMedEthic: {model}", "categories": categories}))
        replace(folder / "environment.properties", properties({**environment(info), **_counts(run)}))
        builder = executor(os.environ, model)
        if builder is not None:
            replace(folder / "executor.json", _json(builder))
    except OSError as error:
        raise _unwritten(folder, error) from None


def _unwritten(folder: Path, error: OSError) -> StoreError:
    return StoreError(f"{folder}: Allure results cannot be written: {error.strerror}.")


def environment(info: RunInfo) -> dict[str, str]:
    """Return what the report's environment table shows: enough to repeat the run, and no key."""
    selection = info.selection
    judges = {f"judge {number}": str(judge["model"]) for number, judge in enumerate(info.judges, start=1)}
    found = {
        "model": str(info.target["model"]),
        **judges,
        **({"third judge": str(info.third["model"])} if info.third is not None else {}),
        "run": info.id,
        "simulation": "yes: these figures say nothing about any real model" if info.simulated else "no",
        "cases": str(info.selected),
        "suite": str(selection.get("suite") or "default"),
        "locales": ", ".join(selection.get("locales") or ()),
        "sample": str(selection.get("sample") or "all"),
        "seed": str(selection.get("seed", 0)),
        "repeats": str(selection.get("repeats", 1)),
        "turns": str(selection.get("turns") or "all"),
        **{f"{name} digest": digest[:16] for name, digest in info.digests.items()},
        "baselines": ", ".join(info.baselines) or "none",
        **({"look": info.stopped_early} if info.stopped_early else {}),
        "version": info.tool_version,
        "commit": info.git_commit or "unknown",
        "started": info.started,
    }
    return {name.replace(" ", "_"): value for name, value in found.items()}


def _counts(run: Path) -> dict[str, str]:
    """Return how much of what failed, as the run's own summary counts it; nothing of a run from before it did."""
    file = run / "summary.json"
    found = json.loads(file.read_text(encoding="utf-8")).get("counts") if file.is_file() else None
    told = counted.failed(Counts.model_validate(found)) if found else {}
    return {f"failed {name}".replace(" ", "_"): text for name, text in told.items()}


def properties(values: Mapping[str, str]) -> str:
    """Return a Java properties file; everything but plain ASCII is escaped."""
    return "".join(f"{name}={_escape(value)}\n" for name, value in values.items())


def _escape(value: str) -> str:
    units = value.encode("utf-16-be", errors="replace")
    codes = [int.from_bytes(units[at : at + 2], "big") for at in range(0, len(units), 2)]
    return "".join(chr(code) if 0x20 <= code < 0x7F and code != 0x5C else f"\\u{code:04x}" for code in codes)


def executor(variables: Mapping[str, str], model: str) -> dict[str, Any] | None:
    """Return who ran the tests, from the variables of GitHub Actions or GitLab CI; ``None`` elsewhere.

    Only addresses without credentials are used (GitLab's ``CI_REPOSITORY_URL`` holds a token).
    """
    report = f"jmedethic: {model}"
    if variables.keys() >= _GITHUB:
        base = f"{variables['GITHUB_SERVER_URL']}/{variables['GITHUB_REPOSITORY']}"
        name = f"{variables.get('GITHUB_WORKFLOW', 'workflow')} #{variables.get('GITHUB_RUN_NUMBER', '?')}"
        url = f"{base}/actions/runs/{variables['GITHUB_RUN_ID']}"
        order = variables.get("GITHUB_RUN_NUMBER", "0")
        found: dict[str, Any] = {"name": "GitHub Actions", "type": "github", "url": base, "buildName": name}
    elif variables.get("GITLAB_CI") and "CI_JOB_URL" in variables:
        url, order = variables["CI_JOB_URL"], variables.get("CI_PIPELINE_IID", "0")
        name = f"{variables.get('CI_JOB_NAME', 'job')} #{order}"
        found = {"name": "GitLab CI", "type": "gitlab", "url": variables.get("CI_PROJECT_URL", url), "buildName": name}
    else:
        return None
    numbered = {"buildOrder": int(order)} if order.isdecimal() else {}
    return {**found, **numbered, "buildUrl": url, "reportName": report}


def _attachments(run: Path, gate: Gate | None) -> Iterable[Content]:
    """Yield the run's summary, gate and plots, as far as they were written."""
    summary = run / "summary.md"
    if summary.is_file():
        yield Content("summary.md", summary.read_bytes(), "text/markdown", "md")
    if gate is not None:
        yield Content("gate.json", gate.model_dump_json(indent=1).encode(), "application/json", "json")
    for plot in sorted((run / "plots").glob("*.png")):
        yield Content(plot.name, plot.read_bytes(), "image/png", "png")


def _write_globals(files: Files, gate: Gate | None, info: RunInfo, attached: Iterable[Content]) -> None:
    """Attach to the whole report, where both generations of Allure have a place for it."""
    begun = moment(info)
    held = [
        GlobalAttachment(name=item.name, source=files.attach(item), type=item.mime, timestamp=begun)
        for item in attached
    ]
    bad = [item for item in _worst_first(gate) if item.answer != "pass"] if gate is not None else []
    lines = [_answer_line(gate, info), *map(_condition_line, bad)] if gate is not None and gate.answer != "pass" else []
    errors = [GlobalError(message=line, timestamp=begun) for line in lines]
    files.report(Globals(attachments=held, errors=errors))


def _write_gate(files: Files, gate: Gate, info: RunInfo, attached: Iterable[Content]) -> None:
    """Write the gate as a result that holds the run's attachments, and each of its conditions as one of its own."""
    overall = _result(_GATE, _STATUS[gate.answer], info)
    overall.name = f"{_GATE}: {gate.answer}"
    # Before everything else, and a millisecond each: reports show results in the order of their times.
    overall.start = overall.stop = moment(info) - 1 - len(gate.conditions)
    overall.statusDetails = StatusDetails(message=_answer_line(gate, info))
    for item in attached:
        # Allure 2 offers Markdown for download only; as plain text it is shown.
        plain = item._replace(mime="text/plain", extension="txt") if item.extension == "md" else item
        overall.attachments.append(Attachment(name=plain.name, source=files.attach(plain), type=plain.mime))
    files.report(overall)
    for position, condition in enumerate(_worst_first(gate), start=1):
        result = _result(f"{_GATE}[{condition.name}]", _STATUS[condition.answer], info)
        result.start = result.stop = overall.stop + position
        result.statusDetails = StatusDetails(message=_condition_line(condition))
        figures = {"observed": condition.observed, "limit": condition.limit}
        result.parameters += [
            Parameter(name=name, value=f"{value:.4g}", excluded=True)
            for name, value in figures.items()
            if value is not None
        ]
        files.report(result)


def _worst_first(gate: Gate) -> list[Condition]:
    """Return the conditions: what failed, what is inconclusive, what holds."""
    return sorted(gate.conditions, key=lambda item: ("fail", "inconclusive", "pass").index(item.answer))


def _answer_line(gate: Gate, info: RunInfo) -> str:
    reasons = f": {gate.reasons[0]}" if gate.reasons else ""
    where = f" ({info.stopped_early})" if info.stopped_early else ""
    more = f" (and {len(gate.reasons) - 1} more)" if len(gate.reasons) > 1 else ""
    return f"gate: {gate.answer}{where}{reasons}{more}"


def _condition_line(condition: Condition) -> str:
    return f"gate condition {condition.name}: {condition.answer}: {condition.detail}"


def _result(name: str, status: str, info: RunInfo) -> Any:
    begun = moment(info)
    identity = f"jmedethic::{name}"
    ids = labels.ids(identity, full_name=identity)
    result = TestResult(uuid=str(uuid.uuid4()), name=name, status=status, start=begun, stop=begun)
    result.fullName, result.testCaseId, result.historyId = ids
    result.titlePath = ["Gate"]
    result.parameters = [Parameter(name="model", value=str(info.target["model"]), excluded=True)]
    severity = {"failed": "blocker", "broken": "blocker"}.get(status, "trivial")
    wanted = {
        **dict.fromkeys(("epic", "parentSuite"), "Gate"),
        **dict.fromkeys(("feature", "suite"), "Gate of the run"),
        **dict.fromkeys(("story", "subSuite"), "Answer" if name == _GATE else "Conditions"),
        "severity": severity,
        "framework": "pytest",
    }
    result.labels = [Label(name=key, value=value) for key, value in wanted.items()]
    return result


def _json(value: Any) -> str:
    return json.dumps(value, indent=1) + "\n"


def moment(info: RunInfo) -> int:
    """Return when a run began, in milliseconds since 1970: what has no time of its own is dated then."""
    return int(datetime.fromisoformat(info.started).timestamp() * 1000)
