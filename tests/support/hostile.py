"""Runs against a hostile local server: what it says, and what the user keeps secret, must stay where it belongs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from support.chat_server import Answer, ChatServer, Seen, running
from support.project import Project, Result, make_case

KEY = "sk-planted-KEY-1f9c2d77aa"
PASSWORD = "planted-Pass-word-88ab"
QUERY = "planted-query-token-52ce"
EXTRA = "planted-extra-token-77de"
SECRETS = (KEY, PASSWORD, QUERY, EXTRA)

REPLY, REASON, THOUGHT = "ZEBRA-REPLY-7731", "ZEBRA-REASON-5512", "ZEBRA-THOUGHT-9921"
MODEL_TEXTS = (REPLY, REASON, THOUGHT)
SERVER = "ZEBRA-SERVER-3141"
"""What a judge's server says of a reply that its filter stopped."""
HOSTILE = (
    f"{REPLY}<script>window.hacked=1;document.title='hacked'</script></textarea></pre></div>"
    f"<img src=x onerror='window.hacked=2'>![x](https://evil.example/x.png)\n=HYPERLINK(\"https://evil.example\")\n"
    "\x1b[2J\x1b]0;owned\x07 \u202eesrever\u202c {{ 7*7 }} | a | b |\n::error::forged\r\x00 end"
)
REASON_TEXT = f"{REASON}</td><script>window.hacked=3</script> `code` \x1b[31m"
LONG = "x" * 1_000_000
_THRESHOLDS = """\
schema_version = 1
[target]
extra = {{ meta_token = "{extra}" }}
[providers.gateway]
kind = "openai"
base_url = "{url}"
api_key_env = "GATEWAY_KEY"
"""


MARKS = ("", "MARK-LOW", "MARK-ECHO", "MARK-SHAPE", "MARK-PROSE", "MARK-LONG", "MARK-LOW", "", "MARK-BLOCK")
OPTIONS = ("--jmed-cases=cases.jsonl", "--jmed-locale=en", "--alluredir=allure", "--junitxml=junit.xml", "-v", "-l")


def hostile(seen: Seen) -> Answer:
    """Answer targets with hostile text, judges with hostile reasons; some conversations meet trouble of every kind."""
    asked = json.dumps(seen.messages, ensure_ascii=False)
    return _judge(seen, asked) if "judge" in seen.model else _target(seen, asked)


def _target(seen: Seen, asked: str) -> Answer:
    turn = len(seen.messages) // 2
    if "MARK-ECHO" in asked and turn == 1:
        sent = {key: value for key, value in seen.body.items() if key != "messages"}
        said = json.dumps(seen.messages[-2:], ensure_ascii=False)
        echo = f"{seen.headers['authorization']} {seen.path} {sent} {said}"
        return ChatServer.error(400, f"cannot use: {echo}")
    if "MARK-SHAPE" in asked and turn == 1:
        return Answer(body={"choices": [{"message": {"content": {"odd": HOSTILE}}}], "usage": {}})
    text = HOSTILE + (LONG if "MARK-LONG" in asked and turn == 2 else "")
    return ChatServer.openai(text, model=seen.model, usage=(3, 2), reasoning_content=f"{THOUGHT} {KEY}")


def _judge(seen: Seen, asked: str) -> Answer:
    if "MARK-BLOCK" in asked:
        return ChatServer.error(400, f"{SERVER} stopped this: {HOSTILE}", code="content_filter")
    if "MARK-PROSE" in asked:
        text = f"I will not give a number. {REASON_TEXT}"
    else:
        text = json.dumps({"score": 1 if "MARK-LOW" in asked else 9, "rationale": REASON_TEXT})
    return ChatServer.openai(text, model=seen.model, usage=(3, 2))


@pytest.fixture(scope="session")
def hostile_server() -> Iterator[ChatServer]:
    with running() as server:
        server.script = hostile
        yield server


@pytest.fixture(scope="session")
def planted() -> SimpleNamespace:
    """What must not turn up, and where it may."""
    return SimpleNamespace(
        secrets=SECRETS,
        key=KEY,
        password=PASSWORD,
        query=QUERY,
        extra=EXTRA,
        texts=MODEL_TEXTS,
        server=SERVER,
        reply=REPLY,
        reason=REASON,
        thought=THOUGHT,
        hostile=HOSTILE,
        reason_text=REASON_TEXT,
        long=LONG,
        marks=MARKS,
    )


def hostile_arguments(server: ChatServer) -> list[str]:
    """Return the options of a run against the hostile server, with a secret in each place that can hold one."""
    base = f"{server.openai_url}?token={QUERY}"
    judges = f"compatible:judge-a@{base},gateway:judge-b"
    return [f"--jmed-base-url={base}", f"--jmed-judges={judges}", "--jmed-report=full", *OPTIONS]


@pytest.fixture(scope="session")
def hostile_project(new_project: Callable[..., Project], hostile_server: ChatServer) -> Callable[[], Project]:
    """Make a project whose conversations meet every kind of trouble."""

    def make() -> Project:
        project = new_project(
            [make_case(number, mark, id=f"en-case-{number:02d}") for number, mark in enumerate(MARKS)]
        )
        project.model = "gateway:target"
        project.env["GATEWAY_KEY"] = KEY
        project.write("thresholds.toml", _THRESHOLDS.format(extra=EXTRA, url=hostile_server.openai_url))
        return project

    return make


@pytest.fixture(scope="session")
def hostile_run(once: Callable[..., Result], hostile_project: Any, hostile_server: ChatServer) -> Result:
    """A whole run with every report there is; the same for all tests, which only read it."""

    def make() -> Result:
        project = hostile_project()
        project.env.update(GITHUB_ACTIONS="true", GITHUB_STEP_SUMMARY="step.md")
        return project.pytest(*hostile_arguments(hostile_server), "-n", "2", "--log-level=DEBUG")

    return once("hostile", make)


@pytest.fixture(scope="session")
def redacted_run(once: Callable[..., Result], hostile_project: Any, hostile_server: ChatServer) -> Result:
    """The same with ``--jmed-redact``, in one process."""
    arguments = [*hostile_arguments(hostile_server), "--jmed-redact", "--log-level=DEBUG"]
    return once("redacted", lambda: hostile_project().pytest(*arguments))
