"""The Node packages of ``tests/node``, installed on first use; without Node tests are skipped with a loud reason."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

NODE = Path(__file__).resolve().parents[1] / "node"


def modules(untested: str, *programs: str) -> Path:
    """Return the folder of the installed packages; they are installed once for all processes.

    Args:
        untested: what is not tested without the programs, in capitals.
        programs: what is needed.
    """
    missing = [program for program in programs if shutil.which(program) is None]
    if missing:
        debian = " ".join("default-jre" if program == "java" else program for program in missing)
        reason = f"{untested}: {' and '.join(missing)} needed (Debian: apt-get install {debian})"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)
    with (NODE / "package.json").open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        wanted = json.load(held)["dependencies"]
        if any(_installed(name) != version for name, version in wanted.items()):
            command = ["npm", "install", "--no-package-lock", "--no-audit", "--no-fund", "--silent"]
            done = subprocess.run(command, cwd=NODE, capture_output=True, text=True, timeout=170, check=False)
            assert done.returncode == 0, f"npm cannot install {wanted}: {done.stdout}{done.stderr}"
    return NODE / "node_modules"


def _installed(name: str) -> str | None:
    file = NODE / "node_modules" / name / "package.json"
    return str(json.loads(file.read_text())["version"]) if file.is_file() else None
