"""Batches against somebody else's imitation of OpenAI's Files and Batches: aimock, a package of Node.

It answers every line alike and counts one token for each prompt, so it shows that the protocol is spoken as others
understand it, and no more: the conversation whose first reply was a single call looks cut, and ends a turn earlier.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from support.chat_server import clean_environment, no_certificates
from support.command import cli, folder, stored, write_cases
from support.node import modules
from support.project import LENIENT_RULES

__all__ = ["clean_environment", "cli", "folder", "no_certificates", "stored", "write_cases"]
SINGLE = "A single call."


@pytest.fixture(scope="module")
def aimock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Start the imitation and return its address."""
    package = modules("BATCHES ARE NOT TESTED AGAINST AIMOCK", "npm", "node") / "@copilotkit" / "aimock"
    fixtures = tmp_path_factory.mktemp("aimock") / "fixtures.json"
    fixtures.write_text(json.dumps({"fixtures": [{"match": {}, "response": {"content": SINGLE}}]}), encoding="utf-8")
    command = ["node", str(package / "dist" / "cli.js"), "-p", "0", "-f", str(fixtures)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        assert process.stdout is not None
        said = ""
        for line in process.stdout:
            said += line
            if address := re.search(r"http://[\w.]+:\d+", line):
                yield address[0]
                break
        else:
            pytest.fail(f"aimock did not start: {said}")
    finally:
        process.kill()
        process.wait()


def test_a_collection_comes_in_three_batches(
    aimock: str,
    folder: Path,
    cli: Callable[..., Any],
    write_cases: Callable[..., list[str]],
    stored: Callable[[], Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write_cases(6)
    (folder / "thresholds.toml").write_text(LENIENT_RULES, encoding="utf-8")
    monkeypatch.setenv("OPENAI_BASE_URL", f"{aimock}/v1")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-planted-openai-key-0123456789")
    options = ("--model=openai:m", "--judges=none", "--cases=cases.jsonl", "--locale=en")
    filled = cli("batch", *options)
    assert filled.status == 0, filled.err
    assert "target openai:m: 16 answers came in batches" in filled.out
    assert len(cli("batch", "status", "--json").json) == 3
    cli("run", *options, "--report=off")
    info = json.loads((stored() / "run.json").read_text(encoding="utf-8"))
    assert info["status"] == "complete"
    assert info["calls"] == {"target openai:m": 0}
    verdicts = (stored() / "verdicts.jsonl").read_text(encoding="utf-8")
    assert verdicts.count('"text":"Mock batch completion"') == 16
    assert verdicts.count(f'"text":"{SINGLE}"') == 1
