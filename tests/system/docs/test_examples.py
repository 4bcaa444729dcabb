"""Every script of examples/ runs as it is, in an empty folder, and comes to what it is there to show."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from support import forked

EXAMPLES = Path(__file__).resolve().parents[3] / "examples"
SAYS = {
    "compare_checkpoints.py": r"Against the release: fail\n",
    "figures_in_pandas.py": r"strategy +\nS\d +\d\.\d\d +\d\.\d\d +\d\.\d\d\n",
    "paper_table.py": r"\{demo:aligned\} & \{67\} .* \\\\\n",
    "own_topics.py": r"T2: \d\.\d\d \[\d\.\d\d, \d\.\d\d\] over 5 topics\n",
}


def test_every_script_is_listed_and_tested() -> None:
    scripts = {file.name for file in EXAMPLES.glob("*.py")}
    assert scripts == set(SAYS)
    assert scripts == set(re.findall(r"\]\((\w+\.py)\)", (EXAMPLES / "README.md").read_text(encoding="utf-8")))


@pytest.mark.parametrize("script", SAYS)
def test_a_script_runs(script: str, tmp_path: Path) -> None:
    done = forked.run("python", str(EXAMPLES / script), folder=tmp_path)
    assert done.returncode == 0, done.stdout
    assert re.search(SAYS[script], done.stdout), done.stdout
