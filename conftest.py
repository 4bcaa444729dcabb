"""What only this repository needs: a benchmark run does not collect the project's own tests."""

from __future__ import annotations

from pathlib import Path

import pytest

_ROOT = Path(__file__).parent


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Keep 33 processes from importing the test-suite when ``--model`` is given."""
    return True if config.option.model is not None and collection_path.is_relative_to(_ROOT / "tests") else None
