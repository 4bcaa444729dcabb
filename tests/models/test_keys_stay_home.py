"""A key goes to the address of its own provider, unless the user names variable and address together."""

from __future__ import annotations

from typing import Any

import pytest

from jmedethic_pytest.config.servers import ProviderTable
from jmedethic_pytest.core.errors import ConfigError, ProviderError
from jmedethic_pytest.models.resolving import resolve

KEY = "sk-a-real-key-of-somebody"
ADDRESSES = ("http://127.0.0.1:9/v1", "https://api.openai.com.evil.example/v1", "http://api.openai.com/v1")


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENROUTER_API_KEY", "ANTHROPIC_API_KEY"):
        monkeypatch.setenv(name, KEY)
    for name in ("OPENAI_BASE_URL", "ANTHROPIC_BASE_URL"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("spec", ["openai:m", "openrouter:a/b", "anthropic:m"])
@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:9/v1", "https://api.openai.com.evil.example/v1", "http://api.openai.com/v1"]
)
def test_another_address_gets_no_key(spec: str, address: str) -> None:
    for ref in (resolve(spec, place="--model", base_url=address), resolve(f"{spec}@{address}", place="--model")):
        assert ref.api_key is None
        assert ref.withheld_key is not None


def test_own_address_gets_it_with_any_path() -> None:
    assert resolve("openai:m", place="--model").api_key == KEY
    assert resolve("openai:m@https://api.openai.com/v2", place="--model").api_key == KEY


def test_address_of_the_same_environment_gets_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "http://gateway.example/v1")
    assert resolve("openai:m", place="--model").api_key == KEY


def test_table_that_names_address_and_variable_gets_it() -> None:
    table = {"gateway": ProviderTable(base_url="http://gateway.example/v1", api_key_env="OPENAI_API_KEY")}
    assert resolve("gateway:m", place="--model", providers=table).api_key == KEY


@pytest.mark.parametrize("name", ["openai", "anthropic", "openrouter", "deepseek", "gemini"])
def test_table_cannot_point_a_public_service_elsewhere(name: str) -> None:
    table = {name: ProviderTable(base_url="http://elsewhere.example/v1", api_key_env="OPENAI_API_KEY")}
    with pytest.raises(ConfigError, match=rf"judge: \[providers.{name}\].*rename it, e.g. \[providers.my-{name}\]"):
        resolve(f"{name}:m", place="judge", role="judge", providers=table)


def test_local_server_may_have_its_address_in_a_table() -> None:
    table = {"vllm": ProviderTable(base_url="http://gpu-7:8000/v1")}
    assert resolve("vllm:m", place="--model", providers=table).base_url == "http://gpu-7:8000/v1"


@pytest.mark.asyncio
async def test_refused_call_says_that_no_key_was_sent(server: Any, ask: Any, answer: Any) -> None:
    server.script = lambda seen: answer(status=401, body={"error": {"message": "who are you?"}})
    with pytest.raises(ProviderError, match=r"OPENAI_API_KEY was not sent.*providers\.NAME.*api_key_env"):
        await ask("openai:gpt-4o-mini")
    assert KEY not in str(server.seen[0].headers)
