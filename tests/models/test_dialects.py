"""What a server needs to be told, and how: the keys of ``[providers.NAME]``, as they reach the wire."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from jmedethic_pytest.config import tables
from jmedethic_pytest.config.sampling import Sampling
from jmedethic_pytest.config.servers import Dialect, ProviderTable
from jmedethic_pytest.config.tables import Thresholds
from jmedethic_pytest.core.errors import ConfigError, ProviderError
from jmedethic_pytest.models import ChatRequest, Message, bodies, resolve

CONVERSATION = (
    Message("system", "rubric"),
    Message("user", "one"),
    Message("assistant", "two"),
    Message("user", "three"),
)


def _request(**sampling: Any) -> ChatRequest:
    return ChatRequest(CONVERSATION, Sampling(**sampling), {"type": "object"})


@pytest.mark.parametrize(
    ("role", "openai", "system"),
    [
        ("system", [("system", "rubric"), ("user", "one")], "rubric"),
        ("developer", [("developer", "rubric"), ("user", "one")], "rubric"),
        ("user", [("user", "rubric\n\none")], None),
    ],
)
def test_system_prompt_stands_where_the_server_takes_it(role: Any, openai: Any, system: str | None) -> None:
    dialect = Dialect(system_role=role)
    sent, _ = bodies.openai("m", _request(), dialect)
    assert [(message["role"], message["content"]) for message in sent["messages"]] == [
        *openai,
        ("assistant", "two"),
        ("user", "three"),
    ]
    sent, _ = bodies.anthropic("m", _request(), dialect)
    assert sent.get("system") == system
    assert sent["messages"][0]["content"] == ("one" if system else "rubric\n\none")


def test_server_without_a_system_prompt_is_never_asked_without_the_rubric() -> None:
    dialect = Dialect(system_role="none")
    for make in (bodies.openai, bodies.anthropic):
        with pytest.raises(ProviderError, match='system_role = "user"') as caught:
            make("m", _request(), dialect)
        assert caught.value.fatal
        make("m", ChatRequest((Message("user", "hello"),), Sampling()), dialect)


@pytest.mark.parametrize(
    ("sampling", "wanted"), [(True, {"temperature", "top_p"}), (False, set()), (["top_p"], {"top_p"}), ([], set())]
)
def test_only_what_the_server_takes_of_sampling_is_sent_and_recorded(sampling: Any, wanted: set[str]) -> None:
    dialect = Dialect(sampling=sampling)
    for make in (bodies.openai, bodies.anthropic):
        body, sent = make("m", _request(temperature=0.5, top_p=0.5), dialect)
        assert {"temperature", "top_p"} & set(body) == wanted == {"temperature", "top_p"} & set(sent)
        assert body["stream"] is False


def test_beginning_of_a_conversation_is_marked_where_it_can_be_found_again() -> None:
    """The pieces are those of the next question, so that a provider sees where they end alike."""
    rubric, told = Message("system", "rubric"), ("hi", "hi, and more", "hi, and more!")
    first, second, last = (
        ChatRequest((rubric, Message("user", text)), Sampling(), cache_ends=ends)
        for text, ends in zip(told, ((2,), (2, 12), (2, 12)), strict=True)
    )
    cached, plain = Dialect(prompt_cache=True), Dialect()
    blocks = [bodies.anthropic("m", request, cached)[0]["messages"][0]["content"] for request in (first, second, last)]
    mark = {"cache_control": {"type": "ephemeral"}}
    assert [block["text"] for block in blocks[1]] == ["hi", ", and more"]
    assert [[block.get("cache_control") for block in found] for found in blocks] == [
        [mark["cache_control"]],
        [None, mark["cache_control"]],
        [None, mark["cache_control"], None],
    ]
    assert bodies.anthropic("m", last, plain)[0]["messages"][0]["content"] == "hi, and more!"
    keys = {bodies.openai("m", request, cached)[0]["prompt_cache_key"] for request in (first, second, last)}
    assert len(keys) == 1, "one machine for one conversation"


def test_only_the_constant_part_is_marked_for_a_prompt_cache() -> None:
    marked, sent = bodies.openai("m", _request(), Dialect(prompt_cache=True))
    other, _ = bodies.openai("m", ChatRequest((Message("system", "another"), *CONVERSATION[1:]), Sampling()), Dialect())
    assert re.fullmatch("[0-9a-f]{32}", marked["prompt_cache_key"])
    assert "prompt_cache_key" not in {**sent, **other}
    marked, sent = bodies.anthropic("m", _request(), Dialect(prompt_cache=True))
    assert marked["system"] == [{"type": "text", "text": "rubric", "cache_control": {"type": "ephemeral"}}]
    assert marked["messages"] == bodies.anthropic("m", _request(), Dialect())[0]["messages"]
    for make in (bodies.openai, bodies.anthropic):
        plain, _ = make("m", ChatRequest((Message("user", "hi"),), Sampling()), Dialect(prompt_cache=True))
        assert "cache" not in str(plain)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("stream = true", "should be False"),
        ('sampling = ["seed"]', "'temperature' or 'top_p'"),
        ('system_role = "tool"', "'system', 'developer', 'user' or 'none'"),
        ('headers = { Host = "x" }', "'Host' is no header that can be set here"),
        ('headers = { "X A" = "x" }', "'X A' is no header"),
        ('headers = { X-A = "a\\r\\nX-B: c" }', "line end"),
        ('headers = { Ocp-Key = "0123456789abcdef" }', r'write Ocp-Key = "\$VARIABLE"'),
        ("timeout = 0.0", "greater than 0"),
        ("queries = {}", "Did you mean 'query'"),
    ],
)
def test_what_cannot_be_said_is_refused_without_a_key_in_the_words(tmp_path: Path, line: str, told: str) -> None:
    (tmp_path / "thresholds.toml").write_text(f"schema_version = 1\n[providers.gw]\n{line}\n")
    with pytest.raises(ConfigError, match=told) as caught:
        tables.load(None, tmp_path)
    assert "0123456789abcdef" not in str(caught.value)


def _gateway(server: Any, **keys: Any) -> dict[str, ProviderTable]:
    return {"gw": ProviderTable(base_url=f"{server.openai_url}?api-version=2024-10-21", **keys)}


@pytest.mark.asyncio
async def test_headers_and_queries_reach_the_server_with_the_keys_of_the_environment(
    server: Any, ask: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("APIM_KEY", "  apim-0123456789\n")
    keys = {"Ocp-Apim-Subscription-Key": "$APIM_KEY", "X-Project": "ward ${APIM_KEY}!"}
    table = _gateway(server, headers=keys, query={"tier": "a b&c"}, timeout=33.0)
    ref = resolve("gw:m", place="--model", providers=table)
    await ask(ref)
    (seen,) = server.seen
    asked = urlsplit(seen.path)
    assert asked.path == "/v1/chat/completions"
    assert parse_qs(asked.query) == {"api-version": ["2024-10-21"], "tier": ["a b&c"]}
    assert seen.headers["ocp-apim-subscription-key"] == "apim-0123456789"
    assert seen.headers["x-project"] == "ward apim-0123456789!"
    assert "apim-0123456789" not in repr(ref) + str(ref.describe())
    assert ref.secrets.hide("echo: apim-0123456789") == "echo: [key]"
    assert ref.describe()["dialect"]["headers"] == keys


@pytest.mark.asyncio
@pytest.mark.parametrize("kind", ["openai", "anthropic"])
@pytest.mark.parametrize(
    ("headers", "wanted"),
    [
        ({}, {}),
        ({"api-key": "$GATEWAY_KEY"}, {"api-key": "0123456789ab"}),
        ({"authorization": "Token $GATEWAY_KEY"}, {"authorization": "Token 0123456789ab"}),
    ],
)
async def test_no_placeholder_is_sent_where_there_is_no_key(
    server: Any, ask: Any, monkeypatch: pytest.MonkeyPatch, kind: Any, headers: dict[str, str], wanted: dict[str, str]
) -> None:
    monkeypatch.setenv("GATEWAY_KEY", "0123456789ab")
    url = server.openai_url if kind == "openai" else server.anthropic_url
    await ask(resolve("gw:m", place="x", providers={"gw": ProviderTable(kind=kind, base_url=url, headers=headers)}))
    keys = ("authorization", "api-key", "x-api-key")
    assert {name: value for name, value in server.seen[0].headers.items() if name in keys} == wanted


def test_models_can_be_told_apart_in_a_set() -> None:
    one, other = (
        resolve("gw:m", place="x", providers={"gw": ProviderTable(base_url="http://h/v1", headers={"X-Ward": ward})})
        for ward in ("7", "8")
    )
    assert len({one, other, one}) == 2


def test_variable_of_a_header_must_be_set() -> None:
    table = {"gw": ProviderTable(base_url="http://h/v1", headers={"X-Key": "$NOT_SET_ANYWHERE"})}
    with pytest.raises(ConfigError, match=r"\[providers.gw\] headers need the environment variable NOT_SET_ANYWHERE"):
        resolve("gw:m", place="--model", providers=table)
    assert resolve("gw:m", place="--model", providers=table, called=False).headers == {"X-Key": ""}


@pytest.mark.parametrize(
    ("kind", "given", "wanted"),
    [
        ("openai", " http://h:1/v1/ ", "http://h:1/v1"),
        ("openai", "http://h:1/v1/chat/completions", "http://h:1/v1"),
        ("openai", "http://h:1/d/chat/completions?api-version=1", "http://h:1/d?api-version=1"),
        ("anthropic", "http://h:1/v1/messages", "http://h:1"),
        ("anthropic", "http://h:1/", "http://h:1"),
    ],
)
def test_address_is_used_without_what_was_pasted_along_with_it(kind: Any, given: str, wanted: str) -> None:
    table = {"gw": ProviderTable(kind=kind, base_url=given)}
    assert resolve("gw:m", place="--model", providers=table).base_url == wanted


@pytest.mark.parametrize("address", ["h:8000/v1", "http://", "http://h:port/v1", "http://two words/v1", "ftp://h"])
def test_address_that_is_none_is_said_before_anything_is_called(address: str) -> None:
    with pytest.raises(ConfigError, match=r"--model: .* the address .* (names no server|must start with)"):
        resolve("compatible:m", place="--model", base_url=address)


@pytest.mark.parametrize("stored", ["sk-0123456789abcdef\n", "sk-0123456789abcdef\r", ' "sk-0123456789abcdef" '])
def test_key_is_used_without_line_end_spaces_and_quotes(stored: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", stored)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    assert resolve("openai:m", place="--model").api_key == "sk-0123456789abcdef"


@pytest.mark.parametrize("stored", ["sk-0123456789abcdefＡ", "sk-0123456789\nabcdef"])
def test_key_that_no_header_can_hold_is_named_by_its_variable(stored: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", stored)
    with pytest.raises(ConfigError, match="the environment variable OPENAI_API_KEY holds a sign") as caught:
        resolve("openai:m", place="--model")
    assert "0123456789" not in str(caught.value)


def test_settings_of_a_server_stand_in_the_thresholds_file() -> None:
    table = {"system_role": "user", "sampling": False, "stream": False, "query": {"a": "b"}, "timeout": 5.0}
    rules = Thresholds.model_validate({"schema_version": 1, "providers": {"gw": table}})
    assert rules.providers["gw"].peculiar == {"system_role": "user", "sampling": False, "query": {"a": "b"}}
