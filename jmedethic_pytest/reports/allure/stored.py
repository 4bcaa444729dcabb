"""Allure results of a stored run, with the ids, labels and content they would have had live."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from jmedethic_pytest.core.errors import StoreError
from jmedethic_pytest.core.records import Gate
from jmedethic_pytest.core.run_info import RunInfo
from jmedethic_pytest.reports.allure import overall
from jmedethic_pytest.reports.allure.policy import GUIDELINE_PAGE, Grouped, decide
from jmedethic_pytest.reports.allure.result import Writer
from jmedethic_pytest.store import light
from jmedethic_pytest.store import runs as run_files

_SINGLE = ("categories.json", "environment.properties", "executor.json", "allurerc.json")


def write(run: Path, folder: Path, *, mode: str, page: str = GUIDELINE_PAGE) -> tuple[int, list[str]]:
    """Write the results of a stored run; return how many conversations there are, and what the user should know.

    Args:
        run: the run's folder.
        folder: where the results go.
        mode: which conversations are told in full (see :func:`jmedethic_pytest.reports.allure.policy.decide`).
        page: pattern of the guideline links, ``{}`` for the anchor.

    Raises:
        StoreError: if the run cannot be read, or the results cannot be written.
    """
    info = run_files.read_info(run)
    notes: list[str] = []
    found = {verdict.key: (verdict.case, place) for verdict, place in run_files.places_as(run, light.Verdict, notes)}
    missing = {verdict.key: verdict.case for verdict in run_files.read_unevaluated(run)}
    jobs: dict[str, Grouped] = {**{key: case for key, (case, _) in found.items()}, **missing}
    telling = decide(mode, str(info.target["model"]), jobs, info.thresholds.get("conversation"))
    begun = overall.moment(info)
    try:
        writer = Writer(folder, telling, page, info.words)
        for verdict in run_files.read_at(run, (place for _, place in found.values())):
            writer.write(verdict, begun)
        reason = f"{overall.ABSENT}: {info.note}" if info.note else overall.ABSENT
        for key, case in missing.items():
            if key not in found:
                writer.write_bare(case, key, "skipped", reason, begun)
    except OSError as error:
        raise StoreError(f"{folder}: Allure results cannot be written: {error.strerror}.") from None
    gate = run_files.read_gate(run, info)
    overall.write(folder, run, info, gate)
    return len(found), [*notes, *_remarks(info, gate)]


def clean(folder: Path) -> None:
    """Remove Allure's files, and no other, from a results folder.

    Raises:
        StoreError: if that is not permitted.
    """
    own = ("*-result.json", "*-container.json", "*-globals.json", "*-attachment.*", *_SINGLE)
    try:
        for pattern in own:
            for path in folder.glob(pattern):
                path.unlink()
    except OSError as error:
        raise StoreError(f"{folder}: cannot be cleaned: {error.strerror}.") from None


def _remarks(info: RunInfo, gate: Gate | None) -> Iterator[str]:
    if gate is None:
        yield f"the run is {info.status} and has no gate: only its conversations were written"
