"""What closed studies left: in the folder of the run, and under a name beside the files about judges.

reports/runs/<run>/annotation.json   reports/judges/people/<name>.json (to be committed)
"""

from __future__ import annotations

from pathlib import Path

from jmedethic_pytest.analysis.people.records import NAME, PeopleFigures
from jmedethic_pytest.core.errors import StoreError
from jmedethic_pytest.store import judge_files

AGAIN = "jmedethic annotate report FOLDER --keep NAME"


def read(run: Path, run_id: str) -> PeopleFigures | None:
    """Return what people said of a run; ``None`` if no study of it was reported.

    Args:
        run: its folder.
        run_id: its id.

    Raises:
        StoreError: if the file is damaged or was edited, or is of another run.
    """
    path = run / NAME
    if not path.is_file():
        return None
    found = judge_files.read(path, PeopleFigures, "annotation", "jmedethic annotate report FOLDER")
    if found.run != run_id:
        raise StoreError(f"{path}: it is of run {found.run}, not of {run_id}. Take it away, or write it again.")
    return found


def find(reports: Path, name: str) -> Path:
    """Return where a study is kept under a name.

    Raises:
        ConfigError: if the name cannot be one.
    """
    return judge_files.folder(reports) / "people" / f"{judge_files.checked(name, 'study')}.json"


def kept(reports: Path, name: str) -> PeopleFigures:
    """Read a study that is kept under a name.

    Raises:
        StoreError: if there is none, or it is damaged or of a newer version.
    """
    return judge_files.read(find(reports, name), PeopleFigures, "study", AGAIN)


def of_run(reports: Path, run_id: str) -> PeopleFigures | None:
    """Return what people said of a run, wherever that lies; ``None`` if they were not asked.

    Raises:
        StoreError: if a file is damaged.
    """
    found = read(reports / "runs" / run_id, run_id)
    if found is not None:
        return found
    files_ = sorted((judge_files.folder(reports) / "people").glob("*.json"))
    studies = (judge_files.read(path, PeopleFigures, "study", AGAIN) for path in files_)
    return next((study for study in studies if study.run == run_id), None)
