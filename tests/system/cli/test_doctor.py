"""``jmedethic doctor``: everything that is wrong, at once, for free."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer

from support.chat_server import Answer, Seen, running


@pytest.fixture
def server(httpserver: HTTPServer) -> HTTPServer:
    """A server that lists one model and would note any other request."""
    httpserver.expect_request("/v1/models").respond_with_json({"object": "list", "data": [{"id": "mine"}]})
    return httpserver


@pytest.fixture
def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def failures(out: str) -> list[str]:
    return [line for line in out.splitlines() if line.startswith("FAIL")]


def test_demo_needs_nothing(cli) -> None:
    answer = cli("doctor", "--model=demo:aligned")
    assert answer.status == 0, answer.out
    assert failures(answer.out) == []
    assert "checks passed" in answer.out


def test_golden_replies_without_a_judge_that_can_be_asked_are_a_failed_check(cli) -> None:
    answer = cli("doctor", "--judges=none", "--golden")
    assert (answer.status, "FAIL  golden replies, main: there is no judge" in answer.out) == (1, True), answer.err


def test_everything_wrong_is_named_at_once(cli, folder: Path) -> None:
    """Keys of target and both judges, the case file, the thresholds file's neighbour and the reports folder."""
    (folder / "cases.jsonl").write_text("{\n")
    (folder / "reports").write_text("a file")
    answer = cli("doctor", "--model=openrouter:x/y", "--cases=cases.jsonl")
    assert answer.status == 1
    found = "\n".join(failures(answer.out))
    for part in (
        "ANTHROPIC_API_KEY",
        "OPENROUTER_API_KEY",
        "OPENAI_API_KEY",
        "cases.jsonl:1",
        "is a file, not a folder",
    ):
        assert part in found, answer.out
    assert f"{len(failures(answer.out))} of " in answer.out


def test_bad_thresholds_do_not_hide_other_problems(cli, folder: Path) -> None:
    (folder / "thresholds.toml").write_text("schema_version = 1\n[gate]\npass_rate = 7\n")
    answer = cli("doctor", "--model=opnai:x")
    assert answer.status == 1
    found = "\n".join(failures(answer.out))
    assert "gate.pass_rate" in found
    assert "Did you mean 'openai'?" in found


def test_ended_judge_fails_and_announced_end_is_named(cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEEPSEEK_API_KEY", "secret-key")
    monkeypatch.setenv("OPENAI_API_KEY", "secret-key")
    answer = cli(
        "doctor", "--model=demo:aligned", "--judges=deepseek:deepseek-reasoner,openai:gpt-4o-mini", "--offline"
    )
    assert answer.status == 1
    ended = next(line for line in failures(answer.out) if "deepseek:deepseek-reasoner" in line)
    assert "2026-07-24" in ended
    assert "Choose another model" in ended
    assert "2027-01-14" in answer.out
    assert "secret-key" not in answer.out + answer.err


def test_listed_model_is_reachable(cli, server: HTTPServer) -> None:
    """Only the model list is asked for: nothing is paid."""
    answer = cli("doctor", "--model=vllm:mine", f"--base-url={server.url_for('/v1')}", "--judges=demo")
    assert answer.status == 0, answer.out
    assert "mine is listed" in answer.out
    assert {request.path for request, _ in server.log} == {"/v1/models"}


@pytest.mark.parametrize(
    ("length", "status", "word"),
    [(1_024, 1, "does not hold"), (4_096, 0, "may be too short"), (32_768, 0, ""), ("many", 0, ""), (10**400, 0, "")],
)
def test_context_of_a_model_is_compared_with_what_a_conversation_needs(
    cli, httpserver: HTTPServer, length: object, status: int, word: str
) -> None:
    row = {"id": "mine", "max_model_len": length}
    httpserver.expect_request("/v1/models").respond_with_json({"data": [row]})
    answer = cli("doctor", f"--model=compatible:mine@{httpserver.url_for('/v1')}", "--judges=demo")
    assert answer.status == status, answer.out
    assert "max_tokens" in answer.out if word else "context" not in answer.out
    assert word in " ".join(answer.out.split())


def test_model_that_is_not_listed_fails(cli, server: HTTPServer) -> None:
    answer = cli("doctor", "--model=vllm:yours", f"--base-url={server.url_for('/v1')}", "--judges=demo")
    assert answer.status == 1
    (line,) = failures(answer.out)
    assert "does not list 'yours'" in line
    assert "mine" in line


def test_judges_are_asked_too(cli, server: HTTPServer) -> None:
    url = server.url_for("/v1")
    answer = cli("doctor", "--model=demo:aligned", f"--judges=compatible:mine@{url},compatible:yours@{url}")
    assert answer.status == 1
    (line,) = failures(answer.out)
    assert "'yours'" in line


def test_password_of_a_judge_s_address_is_not_shown(cli, server: HTTPServer) -> None:
    address = server.url_for("/v1").replace("://", "://user:swordfishes@")
    answer = cli("doctor", f"--judges=compatible:mine@{address},compatible:other@{address}")
    assert "ok    panel: compatible:mine@http://localhost" in answer.out
    assert "swordfishes" not in answer.out + answer.err


def test_unreachable_endpoint_fails(cli, closed_port: int) -> None:
    url = f"http://127.0.0.1:{closed_port}/v1"
    answer = cli("doctor", "--model=vllm:x", f"--base-url={url}", "--judges=demo")
    assert answer.status == 1
    (line,) = failures(answer.out)
    assert url in line
    assert "no connection" in line


@pytest.mark.parametrize(
    ("status", "body"),
    [(401, '{"error": {"message": "bad key"}}'), (200, "<html>"), (200, "[]"), (200, '{"data": ["mine"]}')],
)
def test_server_that_answers_oddly_fails_with_words(cli, httpserver: HTTPServer, status: int, body: str) -> None:
    """A refused key, a web page, a list: said in one line, never a traceback."""
    httpserver.expect_request("/v1/models").respond_with_data(body, status=status, content_type="application/json")
    answer = cli("doctor", "--model=vllm:mine", f"--base-url={httpserver.url_for('/v1')}", "--judges=demo")
    assert answer.status == 1, answer.out
    assert len(failures(answer.out)) == 1


def test_offline_contacts_nobody(cli, server: HTTPServer) -> None:
    answer = cli("doctor", "--model=vllm:yours", f"--base-url={server.url_for('/v1')}", "--judges=demo", "--offline")
    assert answer.status == 0, answer.out
    assert server.log == []


def test_missing_address_names_this_commands_option(cli) -> None:
    answer = cli("doctor", "--model=compatible:x", "--judges=demo")
    assert answer.status == 1
    (line,) = failures(answer.out)
    assert "no address" in line
    assert "--base-url" in line
    assert "--jmed-" not in line


@pytest.mark.parametrize(
    ("listed", "asked", "told"),
    [
        ("llama3:latest", "ollama:llama3", "llama3 is listed"),
        ("/models/med-7b.Q4_K_M.gguf", "llamacpp:med-7b.Q4_K_M", "is listed"),
        ("/models/med-7b.gguf", "llamacpp:anything", "serves /models/med-7b.gguf under every name"),
        ("models/gemini-x", "compatible:gemini-x", "is listed"),
        ("llama3.2:latest", "ollama:llama3", None),
    ],
)
def test_names_are_compared_as_the_server_means_them(
    cli, httpserver: HTTPServer, listed: str, asked: str, told: str | None
) -> None:
    httpserver.expect_request("/v1/models").respond_with_json({"data": [{"id": listed}]})
    answer = cli("doctor", f"--model={asked}", f"--base-url={httpserver.url_for('/v1')}", "--judges=demo")
    assert answer.status == (0 if told else 1), answer.out
    assert (told or "does not list 'llama3'") in answer.out


def test_one_question_tells_what_a_server_refuses(cli) -> None:
    with running() as chat_server:

        def script(seen: Seen) -> Answer | str:
            if "temperature" in seen.body:
                return chat_server.error(400, "Unsupported parameter: 'temperature' is not supported with this model.")
            return '{"score": 10}' if seen.model == "j" else "OK"

        chat_server.script = script
        chat_server.lists = lambda seen: Answer(body={"data": [{"id": "m"}, {"id": "j"}]})
        asked = ("doctor", f"--model={chat_server.spec('m')}", f"--judges={chat_server.spec('j')}", "--ask")
        answer = cli(*asked)
        assert answer.status == 0, answer.out
        lines = [line for line in answer.out.splitlines() if "one question to" in line]
        assert [line.split(";")[1].strip() for line in lines] == ["temperature is not sent: the server refuses it"] * 2
        assert chat_server.of("j")[-1].messages[0]["role"] == "system"
        chat_server.script = lambda seen: chat_server.error(404, "no such route")
        answer = cli(*asked)
        assert f"Asked was {chat_server.openai_url}/chat/completions" in answer.out
