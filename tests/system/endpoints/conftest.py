"""A project whose models are those of a scripted server."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from jmedethic_pytest import Case
from support.chat_server import ChatServer, clean_environment, hold, no_certificates, server
from support.engine import make_case
from support.project import LENIENT_RULES, Project, make_project

__all__ = ["clean_environment", "hold", "make_case", "no_certificates", "server"]


@pytest.fixture
def project(tmp_path: Path, server: ChatServer, make_case: Callable[..., Case]) -> Callable[..., Project]:
    """Make a project of so many cases, of two turns each, or of these."""

    def make(cases: int | Sequence[Case] = 3, env: Mapping[str, str] | None = None) -> Project:
        chosen = [make_case(f"c{number}", turns=2) for number in range(cases)] if isinstance(cases, int) else cases
        made = make_project(tmp_path, [case.model_dump(mode="json") for case in chosen])
        made.model, made.env = "compatible:m", dict(env or {})
        made.options = (
            f"--jmed-base-url={server.openai_url}",
            f"--jmed-judges={server.spec('j1')},{server.spec('j2')}",
        )
        made.write("thresholds.toml", LENIENT_RULES)
        return made

    return make
