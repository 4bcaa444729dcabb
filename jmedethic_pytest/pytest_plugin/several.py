"""``--jmed-adapters``: pytest once for the base and once for every adapter, on one server."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from jmedethic_pytest.core.errors import JmedError
from jmedethic_pytest.core.text import visible
from jmedethic_pytest.pytest_plugin.session import prepared
from jmedethic_pytest.run import candidates

_FILES = {"allure_report_dir": "--alluredir", "xmlpath": "--junitxml"}
"""Options that name what a session writes: each one gets its own, with the model in the name."""


def evaluate(config: pytest.Config) -> int | None:
    """Run pytest for a base and each adapter; ``None`` if this is one session for one model.

    Raises:
        pytest.UsageError: naming everything that is wrong with options, files and keys.
    """
    if config.option.jmed_adapters is None or config.option.collectonly or config.option.help:
        return None
    try:
        spec = prepared(config)
        if not candidates.wanted(spec.settings):
            return None

        def command(name: str, baselines: Sequence[str]) -> list[str]:
            return [sys.executable, "-m", "pytest", *_arguments(config, name, [*spec.settings.baselines, *baselines])]

        return candidates.evaluate(spec, command, lambda line: print(visible(line), flush=True))  # noqa: T201
    except JmedError as error:
        raise pytest.UsageError(*map(visible, getattr(error, "problems", [str(error)]))) from None


def _arguments(config: pytest.Config, name: str, baselines: Sequence[str]) -> list[str]:
    """Return what this pytest was called with, for the session of one model."""
    more = [f"--jmed-baseline={','.join(baselines)}"] if baselines else []
    for key, option in _FILES.items():
        given = getattr(config.option, key, None)
        if given:
            path = Path(given)
            more.append(f"{option}={path.with_name(f'{path.stem}.{name}{path.suffix}')}")
    return [*map(str, config.invocation_params.args), *more]
