"""Which answers may stand for a model's: those under a stated revision, or of the same sitting, if it did not end."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jmedethic_pytest.core import files
from jmedethic_pytest.core.errors import StoreError


class OpenSitting:
    """A sitting from its first question until it is stored; the same command goes on with it, and none other does.

    Args:
        reports: where exams are stored.
        plan: what must be equal for two commands to be the same sitting.

    Raises:
        StoreError: if it cannot be noted.
    """

    def __init__(self, reports: Path, plan: Mapping[str, Any]) -> None:
        self._file = reports / "exams" / f"open-{files.compact_digest(plan)[:16]}"
        try:
            self.mark = self._file.read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            self.mark = ""
        except (OSError, UnicodeDecodeError) as error:
            raise StoreError(f"{self._file}: cannot be read: {error}. Remove it; the exam then begins anew.") from None
        if not self.mark:
            self.mark = f"exam {secrets.token_hex(8)}"
            files.replace(self._file, f"{self.mark}\n", "Give another folder (--reports).")

    def close(self) -> None:
        """Note that it is stored: the next one asks every question again."""
        self._file.unlink(missing_ok=True)
