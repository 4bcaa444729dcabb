"""Scoring the conversations of a stored run for a command; no target is called."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from jmedethic_pytest.cli.app import err
from jmedethic_pytest.cli.execution import execute, with_command
from jmedethic_pytest.core.errors import ConfigError
from jmedethic_pytest.run import rejudging
from jmedethic_pytest.run.options import parse
from jmedethic_pytest.store.transcripts import open_transcripts

if TYPE_CHECKING:
    from jmedethic_pytest.gate.outcome import Outcome


def require_judges(raw: dict[str, Any], name: str) -> None:
    """Refuse to score again what was scored without being told by whom.

    Raises:
        ConfigError: saying how.
    """
    if not raw["judges"]:
        raise ConfigError(f"{name}: say by whom it is to be scored: --judges=PROFILE, or --judges=PROVIDER:NAME,...")


def score(path: Path, raw: dict[str, Any]) -> Outcome:
    """Score the conversations of a stored run, watched.

    Args:
        path: its folder.
        raw: the options of the command line.

    Raises:
        ConfigError: naming everything that is wrong with options, files and keys; nothing was called then.
        StoreError: if the conversations cannot be scored.
    """
    with err.status(f"Reading {path.name} ..."):
        transcripts = open_transcripts(path)
    settings = with_command(parse(transcripts.info.target["model"], raw, prefix="--"))
    return execute(rejudging.prepare(transcripts, settings, Path.cwd()))
