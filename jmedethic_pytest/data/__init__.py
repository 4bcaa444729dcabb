"""The package's data files: guidelines, strategies, rubric, judge prompt, providers, prices, what pages share."""

from __future__ import annotations

import json
import tomllib
from functools import lru_cache
from importlib import resources
from typing import Any


def text(name: str) -> str:
    """Read a file of this folder."""
    return resources.files(__name__).joinpath(name).read_text(encoding="utf-8")


@lru_cache(maxsize=64)
def load(name: str) -> Any:
    """Read a JSON or TOML file of this folder once; callers must not change what they get."""
    return json.loads(text(name)) if name.endswith(".json") else tomllib.loads(text(name))
