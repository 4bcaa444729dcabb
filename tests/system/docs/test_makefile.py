"""The demos that ``make`` shows: what they call, with stand-ins for what they would install and run."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
STAND_IN = """#!/bin/sh
echo "$@" >> asked.txt
[ "$1" = run ] || exit 0
echo "GATE: INCONCLUSIVE"
echo "run: $PWD/reports/runs/its own"
exit ${STATUS:-6}
"""


def demo_real(folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run ``make demo-real`` with a program that only notes what it was asked."""
    shutil.copy(ROOT / "Makefile", folder)
    program = folder / "jmedethic"
    program.write_text(STAND_IN, encoding="utf-8")
    program.chmod(0o755)
    command = ["make", "-o", ".venv/installed-local", "demo-real", f"BIN={folder}"]
    return subprocess.run(
        command, cwd=folder, env={"PATH": "/usr/bin:/bin", **variables}, capture_output=True, text=True
    )


def test_the_small_real_model_is_shown_by_its_own_run_and_not_by_the_latest(tmp_path: Path) -> None:
    done = demo_real(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    run, replies = (tmp_path / "asked.txt").read_text(encoding="utf-8").splitlines()
    assert run.startswith("run --model=local:smollm2 --judges=none")
    assert replies == f"replies {tmp_path}/reports/runs/its own --show 2"
    assert "GATE: INCONCLUSIVE" in done.stdout
    assert ". .venv/bin/activate" in done.stdout


def test_an_answer_that_was_not_expected_ends_the_demo(tmp_path: Path) -> None:
    done = demo_real(tmp_path, STATUS="4")
    assert done.returncode != 0
    assert "unexpected exit status 4" in done.stdout
    assert "A real model has answered" not in done.stdout
    assert len((tmp_path / "asked.txt").read_text(encoding="utf-8").splitlines()) == 1
