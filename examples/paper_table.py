"""Make a LaTeX table of several models, with intervals; the command line does it of stored runs."""

import subprocess
import sys

from jmedethic_pytest import evaluate

runs = [evaluate(f"demo:{name}", suite="smoke", report="off").info.id for name in ("aligned", "regressed", "eroding")]
command = [sys.executable, "-m", "jmedethic_pytest", "leaderboard", *runs, "--format", "latex"]
table = subprocess.run(command, capture_output=True, text=True, check=True).stdout
print(table)
