"""Transports of other distributions: found, told apart from the built-in ones, and held to what is promised of them."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from jmedethic_pytest.config.sampling import Sampling
from jmedethic_pytest.config.servers import ProviderTable
from jmedethic_pytest.core.errors import ConfigError, ProviderError, RunAborted
from jmedethic_pytest.core.records import Reply
from jmedethic_pytest.models import ChatRequest, Message, open_provider, registry, resolve
from jmedethic_pytest.models.client import Client

Install = Callable[..., None]
_KEY = "sk-planted-4711-abcdefgh"
_CLASS = """
from jmedethic_pytest import Reply, Usage
from jmedethic_pytest.models import ProviderError

class Mine:
    {attributes}

    def __init__(self, ref, observe=None):
        self.ref, self.observe = ref, observe

    async def chat(self, request, *, patient):
        {chat}

    async def models(self):
        return {{self.ref.name: None}}

    async def aclose(self):
        raise RuntimeError("cannot close")
"""


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Put a distribution with one provider on the path."""

    def make(
        name: str = "mine",
        *,
        distribution: str = "other-thing",
        attributes: str = "pass",
        chat: str = "return Reply(text='ok')",
    ) -> None:
        folder, module = tmp_path / distribution, f"guest_{abs(hash((tmp_path, distribution)))}"
        info = folder / f"{distribution.replace('-', '_')}-1.0.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[jmedethic.providers]\n{name} = {module}:Mine\n")
        source = _CLASS.format(attributes=attributes, chat=chat)
        (folder / f"{module}.py").write_text(source)
        monkeypatch.syspath_prepend(str(folder))
        registry._points.cache_clear()

    yield make
    registry._points.cache_clear()


def ask(*, context: dict[str, Any] | None = None, timeout: float = 20.0, **table: Any) -> Reply:
    """Send one chat through a client to the guest ``mine``."""

    async def send() -> Reply:
        client = Client("target", resolve("mine:m", place="--model", providers=table.get("providers")), None)
        try:
            asked = Sampling(timeout=timeout, max_tokens=100)
            return await client.chat(ChatRequest((Message("user", "hello"),), asked, context=context or {}))
        finally:
            await client.aclose()

    return asyncio.run(send())


# ---------------------------------------------------------------- names


@pytest.mark.parametrize("name", ["openai", "anthropic", "demo", "vllm"])
def test_a_guest_never_replaces_what_is_built_in(name: str, install: Install) -> None:
    install(name)
    with pytest.raises(ConfigError, match=r"'other-thing' has the name of a built-in one.*pip uninstall other-thing"):
        resolve(f"{name}:aligned@http://localhost:1/v1", place="--model")


def test_a_guest_never_replaces_a_transport_behind_another_name(install: Install) -> None:
    install("openai")
    with pytest.raises(ConfigError, match="has the name of a built-in one"):
        resolve("vllm:x", place="--model")


def test_two_guests_of_one_name_are_refused(install: Install) -> None:
    install()
    install(distribution="third-thing")
    with pytest.raises(ConfigError, match="'mine' is in the installed distributions 'other-thing' and 'third-thing'"):
        resolve("mine:x", place="--model")
    assert resolve("demo:aligned", place="--model").simulated


def test_a_table_of_the_same_name_must_say_that_it_is_meant_for_the_guest(install: Install) -> None:
    own = {"mine": ProviderTable(base_url="http://localhost:1/v1")}
    assert resolve("mine:x", place="--model", providers=own).kind == "openai"
    install()
    with pytest.raises(ConfigError, match=r"\[providers.mine\] describes a server that speaks 'openai'.*rename"):
        resolve("mine:x", place="--model", providers=own)
    found = resolve("mine:x", place="--model", providers={"mine": ProviderTable(kind="plugin", base_url="tcp:1")})
    assert (found.kind, found.base_url, found.simulated) == ("mine", "tcp:1", False)


def test_a_table_for_a_guest_that_is_not_installed_says_so() -> None:
    with pytest.raises(ConfigError, match=r"no installed distribution brings a provider 'mine'.*Installed: none"):
        resolve("mine:x", place="--model", providers={"mine": ProviderTable(kind="plugin")})


def test_no_server_can_pass_for_the_simulation() -> None:
    with pytest.raises(ConfigError, match="'demo' names the simulations"):
        resolve("demo:x", place="--model", providers={"demo": ProviderTable(base_url="http://localhost:1/v1")})


def test_key_and_address_come_from_the_class_or_from_the_table(
    install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(attributes="api_key_env = 'MINE_KEY'; base_url = 'tcp:1'")
    with pytest.raises(ConfigError, match="needs the environment variable MINE_KEY, which is not set"):
        resolve("mine:x", place="--model")
    monkeypatch.setenv("MINE_KEY", _KEY)
    monkeypatch.setenv("THEIR_KEY", "another")
    found = resolve("mine:x", place="--model")
    assert (found.api_key, found.base_url) == (_KEY, "tcp:1")
    table = {"mine": ProviderTable(kind="plugin", api_key_env="THEIR_KEY")}
    assert resolve("mine:x", place="--model", providers=table).api_key == "another"
    away = resolve("mine:x@http://elsewhere.example", place="judge")
    assert (away.base_url, away.api_key, away.withheld_key) == ("http://elsewhere.example", None, "MINE_KEY")


# ---------------------------------------------------------------- conduct


def test_a_guest_that_cannot_be_imported_is_named(install: Install) -> None:
    install(attributes="import a_library_nobody_has")
    with pytest.raises(ConfigError, match=r"'mine' of the distribution 'other-thing' cannot be imported.*a_library"):
        resolve("mine:x", place="--model")


@pytest.mark.parametrize(
    ("chat", "said"),
    [
        ("return 'a careful reply'", "returned a str, not a jmedethic_pytest.Reply"),
        ("return None", "returned a NoneType"),
        (f"raise KeyError('{_KEY}')", r"raised KeyError: .*\[key\]"),
        (f"raise ProviderError('bad key {_KEY}', fatal=True)", r"bad key \[key\]"),
    ],
)
def test_what_is_no_reply_ends_the_run_in_words(
    chat: str, said: str, install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(chat=chat, attributes="api_key_env = 'MINE_KEY'")
    monkeypatch.setenv("MINE_KEY", _KEY)
    with pytest.raises(RunAborted, match=said) as error:
        ask()
    assert _KEY not in str(error.value)


def test_the_time_limit_holds_for_a_guest(install: Install) -> None:
    install(chat="import asyncio; await asyncio.sleep(60)")
    with pytest.raises((ProviderError, RunAborted), match=r"mine:m: no answer within 0\.05 s"):
        ask(timeout=0.05)


def test_a_guest_that_cannot_be_opened_ends_the_run_in_words(install: Install) -> None:
    install(attributes="__slots__ = ()")
    with pytest.raises(RunAborted, match="mine:m: the provider cannot be opened: AttributeError"):
        ask()


@pytest.mark.parametrize(
    ("made", "status"),
    [
        ("text='ok'", "ok"),
        ("text=' '", "empty"),
        ("text='half a', finish='length'", "truncated"),
        ("text='half a', usage=Usage(output=100)", "truncated"),
        ("text='<think>not an answer'", "truncated"),
        ("text='no', finish='content_filter'", "blocked"),
    ],
)
def test_only_a_whole_reply_is_ok(made: str, status: str, install: Install) -> None:
    install(chat=f"return Reply({made})")
    assert ask().status.removeprefix("target_") == status


def test_a_reply_of_a_guest_that_was_broken_off_is_asked_for_again(install: Install) -> None:
    install(chat="return Reply(text='A part', finish='error')")
    with pytest.raises(ProviderError, match="mine:m: the server broke the reply off") as error:
        ask()
    assert error.value.trouble == "retry"


def test_reasoning_and_broken_characters_do_not_reach_the_judges(install: Install) -> None:
    install(chat=r"return Reply(text='<think>hm</think>fine \ud800', cached=True)")
    reply = ask()
    assert (reply.text, reply.cached) == ("fine ?", False)
    assert "hm" in reply.reasoning


def test_a_guest_teaches_the_number_of_calls_in_flight(install: Install) -> None:
    install(chat="self.observe(429, {'Retry-After': '0'}); return Reply(text='ok')")

    async def changes() -> list[str]:
        client = Client("target", resolve("mine:m", place="--model"), None)
        await client.chat(ChatRequest((Message("user", "hello"),), Sampling()))
        await client.aclose()
        return client.limit.changes

    (change,) = asyncio.run(changes())
    assert "429" in change


def test_only_simulations_see_what_a_request_is_about(install: Install) -> None:
    install(chat="return Reply(text=repr(dict(request.context)))")
    assert ask(context={"answers": ("a",)}).text == "{}"


# ---------------------------------------------------------------- cost


def _run(code: str, *arguments: str, folder: Path) -> str:
    environment = {**os.environ, "OPENAI_API_KEY": "x", "ANTHROPIC_API_KEY": "x"}
    command = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment, cwd=folder)
    return done.stdout.splitlines()[-1]


def test_to_name_models_imports_no_sdk(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from jmedethic_pytest.models import resolve, resolving\n"
        "for spec in ('openai:x', 'anthropic:x', 'demo:aligned', 'compatible:x@http://h/v1'):\n"
        "    resolve(spec, place='--model')\n"
        "resolving.names()\n"
        "print(sorted({'openai', 'anthropic', 'httpx2', 'aiohttp'} & set(sys.modules)))"
    )
    assert _run(code, folder=tmp_path) == "[]"


def test_pytest_without_a_model_looks_for_no_providers(tmp_path: Path) -> None:
    (tmp_path / "test_any.py").write_text("def test_any():\n    pass\n")
    code = (
        "import sys, pytest\n"
        "assert pytest.main(['-q', '-p', 'no:cacheprovider', 'test_any.py']) == 0\n"
        "registry = sys.modules.get('jmedethic_pytest.models.registry')\n"
        "print(registry._points.cache_info().misses if registry else 0)"
    )
    assert _run(code, folder=tmp_path) == "0"


def test_simulations_are_opened_like_every_other_provider() -> None:
    assert type(open_provider(resolve("demo:aligned", place="--model"))).__name__ == "DemoProvider"
