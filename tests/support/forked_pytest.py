"""Becomes pytest in a folder of its own; run by ``Project.pytest`` in a process forked from one with warm imports.

``JOB`` holds the folder, the environment, the arguments and the file that receives all output.
"""

from __future__ import annotations

import os
import sys
from typing import Any

import pytest


def become_pytest(job: dict[str, Any]) -> int:
    os.setsid()
    os.chdir(job["folder"])
    os.environ.clear()
    os.environ.update(job["environment"])
    stdin, output = os.open(os.devnull, os.O_RDONLY), os.open(job["output"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(stdin, 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    sys.argv = ["pytest", *job["arguments"]]
    return int(pytest.main())


if __name__ == "__main__":
    sys.exit(become_pytest(globals()["JOB"]))
