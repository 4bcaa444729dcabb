"""The errands of docs/how-to/extend.md, done as the page says."""

from __future__ import annotations

import json
import re
import shutil
import socketserver
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import jmedethic_pytest
from jmedethic_pytest.core import languages
from support.project import Project, make_case, new_project

__all__ = ["new_project"]
_PAGE = Path(__file__).resolve().parents[3] / "docs" / "how-to" / "extend.md"
_KEY = "sk-planted-0815-abcdefgh"
_REPLY = languages.table("en", "demo_replies.toml")["refuse"].strip()
"""One that simulated judges know."""


class _Lines(socketserver.StreamRequestHandler):
    """Takes and gives one line of JSON; its headers say that little is left of a quota."""

    def handle(self) -> None:
        asked = json.loads(self.rfile.readline())
        seen: list[dict[str, Any]] = self.server.seen  # type: ignore[attr-defined]
        seen.append(asked)
        answer = {
            "status": 200,
            "headers": {"X-RateLimit-Limit-Requests": "100", "X-RateLimit-Remaining-Requests": "3"},
            "text": f"<think>{len(seen)}</think>{_REPLY}",
            "finish": "stop",
            "model": "theirs",
            "tokens": [100 * len(asked["messages"]), 12],
        }
        self.wfile.write(json.dumps(answer).encode() + b"\n")


@pytest.fixture
def lines() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A server that is none of the known kinds: its address, and what it was sent."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Lines) as server:
        server.daemon_threads = True
        server.seen = []  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield f"127.0.0.1:{server.server_address[1]}", server.seen  # type: ignore[attr-defined]
        server.shutdown()


def _block(language: str) -> str:
    """Return the first code block of the page in a language."""
    found = re.search(rf"^```{language}\n(.*?)^```", _PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert found is not None
    return found[1]


def _install(folder: Path) -> None:
    """Lay the page's file and its entry point where an installation would."""
    info = folder / "mine-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: mine\nVersion: 1.0\n")
    entry = re.sub(r'[\[]project\.entry-points\."([^"]+)"\]', r"[\1]", _block("ini")).replace('"', "")
    (info / "entry_points.txt").write_text(entry)
    (folder / "mine.py").write_text(_block("py"), encoding="utf-8")


def test_a_provider_with_a_transport_of_its_own(
    new_project: Callable[..., Project], tmp_path: Path, lines: tuple[str, list[dict[str, Any]]]
) -> None:
    address, seen = lines
    _install(tmp_path / "site")
    project = new_project(3)
    project.write("thresholds.toml", f'schema_version = 1\n[providers.mine]\nkind = "plugin"\nbase_url = "{address}"\n')
    project.env = {"PYTHONPATH": str(tmp_path / "site"), "MINE_API_KEY": _KEY}
    run = project.pytest("-q", "--jmed-judges=demo", "--jmed-concurrency=32", model="mine:x")
    assert run.status == 6, run.output  # three cases and simulated judges prove nothing about a model
    assert [verdict["status"] for verdict in run.verdicts] == ["scored"] * 3
    replies = [turn["reply"] for verdict in run.verdicts for turn in verdict["turns"]]
    assert {reply["text"] for reply in replies} == {_REPLY}
    assert {(reply["model"], reply["usage"]["output"]) for reply in replies} == {("theirs", 12)}
    assert len(seen) == run.calls["target"] == 9
    assert {(asked["key"], asked["model"], asked["max_tokens"]) for asked in seen} == {(_KEY, "x", 2048)}
    assert run.read("run.json")["target"]["kind"] == "mine"
    assert "a quota left" in str(run.read("run.json")["limits"]["target mine:x"])
    doctor = project.jmedethic("doctor", "--model=demo:aligned", "--judges=demo")
    assert "ok    provider mine: of the distribution mine" in doctor.output
    stored = [path.read_bytes() for path in (project.path / "reports").rglob("*") if path.is_file()]
    assert not [text for text in stored if _KEY.encode() in text]


def test_the_page_says_what_is_refused(new_project: Callable[..., Project], tmp_path: Path) -> None:
    _install(tmp_path / "site")
    project = new_project(1)
    project.write("thresholds.toml", 'schema_version = 1\n[providers.mine]\nbase_url = "http://localhost:1/v1"\n')
    project.env = {"PYTHONPATH": str(tmp_path / "site")}
    run = project.pytest("-q", "--jmed-judges=demo", model="mine:x")
    assert run.status == 4, run.output
    assert "an installed distribution brings a provider of the same name" in run.output
    assert "Traceback" not in run.output


# ---------------------------------------------------------------- files the page names


def _named(section: str) -> dict[str, tuple[str, str]]:
    """Return language and content of the files that a section of the page names, each at the end of the line before."""
    text = _PAGE.read_text(encoding="utf-8").split(f"\n## {section}")[1].split("\n## ")[0]
    found = re.findall(r"`([^`\n]+)`[^`\n]*:\n\n```(\w+)\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert len(found) == text.count("```") / 2
    return {name: (language, content) for name, language, content in found}


def _changed(text: str, diff: str) -> str:
    """Apply a diff whose hunks are separated by lines of ``@@``; each must fit in one place."""
    for hunk in diff.split("@@\n"):
        lines = hunk.splitlines(keepends=True)
        old, new = ("".join(line[1:] for line in lines if line[0] in signs) for signs in (" -", " +"))
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


def _write(folder: Path, section: str) -> None:
    for name, (language, content) in _named(section).items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(_changed(file.read_text("utf-8"), content) if language == "diff" else content, "utf-8")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A folder with a copy of the package that may be changed; with what is compiled, which saves doing it again."""
    original = Path(jmedethic_pytest.__file__).parent
    shutil.copytree(original, tmp_path / "source" / original.name)
    return tmp_path / "source"


def test_a_judge_rule(new_project: Callable[..., Project], source: Path) -> None:
    project = new_project(1)
    options = ("-q", "--jmed-judges=demo")
    before = project.pytest(*options).read("run.json")["digests"]["prompts"]
    _write(source, "2. ")
    test = source / "tests" / "judging" / "test_contradiction.py"
    project.env = {"PYTHONPATH": str(source)}
    tested = project.pytest("-q", str(test), model=None)
    assert "1 passed" in tested.output
    changed = project.pytest(*options)
    assert changed.read("run.json")["digests"]["prompts"] != before


def test_a_report(new_project: Callable[..., Project], source: Path) -> None:
    project = new_project(12)
    _write(source, "3. ")
    project.env = {"PYTHONPATH": str(source)}
    run = project.pytest("-q", "--jmed-judges=demo", "--jmed-report=full", model="demo:eroding")
    assert run.run is not None, run.output
    file = run.run / "lowest.txt"
    lowest = {key: min(score for score in scores if score is not None) for key, scores in run.scores.items()}
    listed = [line.split() for line in file.read_text().splitlines()]
    assert [float(score) for score, _ in listed] == sorted(lowest.values())[:10]
    assert {key: float(score) for score, key in listed}.items() <= lowest.items()
    file.unlink()
    assert project.jmedethic("report").status == 0
    assert [line.split() for line in file.read_text().splitlines()] == listed


def test_a_strategy_and_guidelines_of_ones_own_with_floors(new_project: Callable[..., Project]) -> None:
    project = new_project()
    _write(project.path, "4. ")
    project.cases([make_case(number) for number in range(40)], "mine/others.jsonl")
    options = ("--jmed-judges=demo", "--jmed-cases=mine", "--jmed-suite=all", "--jmed-locale=en")
    run = project.pytest("-q", *options, model="demo:eroding")
    assert run.status == 1, run.output
    own = [verdict for verdict in run.verdicts if verdict["case"]["strategy"] == "D1"]
    assert {verdict["case"]["guideline"] for verdict in own} == {"WARD-1", "JMA-17"}
    broken = [(item["floor"], item["rule"]) for verdict in own for item in verdict["violations"]]
    assert set(broken) == {(4.0, "conversation.strategies.D1")}
    limits = {item["name"]: item["limit"] for item in run.read("gate.json")["conditions"]}
    assert (limits["strategy[D1]"], limits["strategy[S1]"]) == (7.0, 5.5)
    words = json.dumps(run.read("run.json"))
    assert "Restraints" in words
    assert "Shift change" in words
    assert "On our wards" in words


def test_a_condition_of_the_gate(new_project: Callable[..., Project], source: Path) -> None:
    project = new_project(42)
    _write(source, "5. ")
    project.env = {"PYTHONPATH": str(source)}
    options = ("-q", "--jmed-judges=demo")
    off = project.pytest(*options)
    assert off.status == 0, off.output
    assert not [name for name in off.conditions if name.startswith("category")]
    for floor, answer in ((2.0, "pass"), (10.0, "fail")):
        project.write("thresholds.toml", f"schema_version = 1\n[gate]\ncategory_mean = {floor}\n")
        run = project.pytest(*options)
        found = {name: said for name, said in run.conditions.items() if name.startswith("category")}
        assert len(found) > 1
        assert answer in found.values()
        assert set(found.values()) <= {answer, "inconclusive"}, "categories of a few cases cannot tell"
        assert run.status == (1 if answer == "fail" else 6 if "inconclusive" in found.values() else 0), run.output
