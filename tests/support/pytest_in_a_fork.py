"""Becomes pytest in another folder; run by ``Project.run`` in a process forked from one with warm imports.

``JOB`` holds folder, environment, arguments and the file that receives all output.
"""

from __future__ import annotations

import os
import sys
from typing import Any

import pytest


def become_pytest(job: dict[str, Any]) -> int:
    os.chdir(job["folder"])
    os.environ.clear()
    os.environ.update(job["environment"])
    null, output = os.open(os.devnull, os.O_RDONLY), os.open(job["output"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for source, target in ((null, 0), (output, 1), (output, 2)):
        os.dup2(source, target)
    sys.argv = ["pytest", *job["arguments"]]
    return int(pytest.main())


if __name__ == "__main__":
    sys.exit(become_pytest(globals()["JOB"]))
