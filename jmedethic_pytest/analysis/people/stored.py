"""What a closed study left in the folder of its run."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from jmedethic_pytest.analysis.people.records import NAME, PeopleFigures
from jmedethic_pytest.core import files, strict_json
from jmedethic_pytest.core.errors import StoreError, explain_validation


def read(run: Path, run_id: str) -> PeopleFigures | None:
    """Return what people said of a run; ``None`` if no study of it was reported.

    Args:
        run: its folder.
        run_id: its id.

    Raises:
        StoreError: if the file is damaged, or of another run.
    """
    path = run / NAME
    if not path.is_file():
        return None
    try:
        found = strict_json.record(PeopleFigures, files.read(path))
    except OSError as error:
        raise StoreError(f"{path}: cannot be read: {error.strerror}.") from None
    except ValidationError as error:
        told = explain_validation(error, str(path))[0]
        raise StoreError(f"damaged: {told} Write it again: jmedethic annotate report.") from None
    if found.run != run_id:
        raise StoreError(f"{path}: it is of run {found.run}, not of {run_id}. Take it away, or write it again.")
    return found
