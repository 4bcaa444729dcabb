"""The files of Allure results: what allure-pytest's own writer writes, byte for byte, for a quarter of the time."""

from __future__ import annotations

import json
import os
import uuid
from pathlib import Path
from typing import Any

from jmedethic_pytest.reports.allure.content import Attachment

_INDENT = 4


class Files:
    """Writes into a folder, which is made if need be.

    Args:
        folder: the Allure results folder.

    Raises:
        OSError: if the folder, or later a file, cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder.absolute()  # a test may change the working folder
        self._folder.mkdir(parents=True, exist_ok=True)

    def report(self, item: Any) -> None:
        """Write a result, or what belongs to the whole report, at one stroke: Allure may be watching the folder.

        Args:
            item: one of Allure's own records; what is empty in it is not written.
        """
        path = self._folder / item.file_pattern.format(prefix=uuid.uuid4())
        part = path.with_name(f"{path.name}.tmp")
        indent = _INDENT if os.environ.get("ALLURE_INDENT_OUTPUT") else None
        part.write_bytes(json.dumps(item, default=_told, ensure_ascii=False, indent=indent).encode())
        part.replace(path)

    def attach(self, item: Attachment) -> str:
        """Write an attachment, and return its file's name; no result that is written yet can know it."""
        name = f"{uuid.uuid4()}-attachment.{item.extension}"
        (self._folder / name).write_bytes(item.body)
        return name


def _told(record: Any) -> dict[str, Any]:
    """Return what a record of Allure's holds; its own walk through them costs more than all the writing."""
    return {name: value for name, value in vars(record).items() if value or value is False}
