"""What a repository shows of itself: how to cite it, and the forms for issues, each held against its schema."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from jmedethic_pytest import _version

ROOT = Path(__file__).resolve().parents[3]
FORMS = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"))
SCHEMAS = [
    ("vendor.citation-file-format", [ROOT / "CITATION.cff"]),
    ("vendor.github-issue-config", [file for file in FORMS if file.name == "config.yml"]),
    ("vendor.github-issue-forms", [file for file in FORMS if file.name != "config.yml"]),
]


@pytest.mark.parametrize(("schema", "files"), SCHEMAS, ids=[name for name, _ in SCHEMAS])
def test_file_fits_its_schema(schema: str, files: list[Path]) -> None:
    pytest.importorskip("check_jsonschema", reason="NOT TESTED: pip install 'jmedethic-pytest[dev]'")
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, "--default-filetype", "yaml"]
    done = subprocess.run([*command, *map(str, files)], capture_output=True, text=True)
    assert files
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_version_to_cite_is_this_one() -> None:
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert cited["version"] == _version.VERSION
