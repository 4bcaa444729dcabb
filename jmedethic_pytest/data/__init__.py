"""The package's data files: guidelines, strategies, rubric, judge prompt, providers, prices."""

from __future__ import annotations

import json
import tomllib
from functools import lru_cache
from importlib import resources
from typing import Any


@lru_cache(maxsize=64)
def load(name: str) -> Any:
    """Read a JSON or TOML file of this folder once; callers must not change what they get."""
    text = resources.files(__name__).joinpath(name).read_text(encoding="utf-8")
    return json.loads(text) if name.endswith(".json") else tomllib.loads(text)
