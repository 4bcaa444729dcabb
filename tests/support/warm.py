"""One small run, made when this is imported: the server of forks has then loaded and computed what every run does."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from jmedethic_pytest import evaluate

sys.path.remove(str(Path(__file__).parents[1]))  # where this was found is no place of a user's
_home = Path.cwd()
with tempfile.TemporaryDirectory() as folder:
    os.chdir(folder)
    evaluate("demo:aligned", suite="smoke", sample=3, report="off", cache="off")
    os.chdir(_home)
