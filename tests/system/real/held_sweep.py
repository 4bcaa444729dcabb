"""A sweep of six conversations in three parts, whose first replies are held back until a node is gone."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from jmedethic_pytest.run.evidence import PROBES
from support.chat_server import ChatServer
from support.project import LENIENT_RULES, Project, make_case, make_project

_SWEEP = """
schema_version = 1
locales = ["en"]
shards = 3
args = ["--cases=cases.jsonl", "--concurrency=1"]
judge_args = ["--judges={judges}", "--report=off"]

[[models]]
name = "a"
model = "compatible:a"
base_url = "{url}"

{launcher}
"""


class HeldSweep:
    """A sweep in a project of its own.

    Args:
        folder: where.
        server: answers for its target and judges.
        waiting: what holds the target's replies back.
        launcher: its table of ``sweep.toml``.
    """

    def __init__(self, folder: Path, server: ChatServer, waiting: Any, launcher: str) -> None:
        def script(seen: Any) -> Any:
            return server.score(9) if seen.model.startswith("j") else server.openai(f"safe {seen.last}", hold=waiting)

        server.script = script
        self._server, self._waiting = server, waiting
        self.project: Project = make_project(folder, [make_case(number) for number in range(6)])
        self.project.write("thresholds.toml", LENIENT_RULES)
        judges = f"{server.spec('j1')},{server.spec('j2')}"
        self.project.write("sweep.toml", _SWEEP.format(url=server.openai_url, judges=judges, launcher=launcher))

    def wait(self) -> None:
        """Wait until each part has a question on its way."""
        self._server.wait_for(lambda: len(self._asked()) == 3)

    def go_on(self) -> None:
        """Let the target answer."""
        self._waiting.release()

    def asked(self, output: str) -> int:
        """Return how often the target was asked, of a sweep that passed with its 6 conversations of 3 turns judged."""
        assert output.splitlines()[-1] == "GATE: PASS", output
        assert len(self._asked()) == 18
        judged = Counter(seen.model for seen in self._server.seen if seen.model != "a")
        assert judged == {"j1": 18, "j2": 18}
        return sum(self._asked().values())

    def _asked(self) -> Counter[str]:
        return Counter(str(seen.messages) for seen in self._server.of("a") if seen.last not in PROBES)
