"""Proxies of the environment: SOCKS is spoken to as SOCKS, or refused by name; no password is shown."""

from __future__ import annotations

import asyncio
import importlib.util
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from jmedethic_pytest.config.sampling import Sampling
from jmedethic_pytest.core.errors import ConfigError, ProviderError
from jmedethic_pytest.models import ChatRequest, Message, open_provider, proxies, resolve


@pytest.fixture(autouse=True)
def none(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()


@asynccontextmanager
async def socks(port: int, asked: list[bytes]) -> AsyncIterator[int]:
    """A SOCKS 5 proxy that wants a password and leads every connection to one port; what it was asked for."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        version, methods = await reader.readexactly(2)
        assert version == 5
        await reader.readexactly(methods)
        writer.write(b"\x05\x02")
        await reader.readexactly(1)
        user = await reader.readexactly((await reader.readexactly(1))[0])
        password = await reader.readexactly((await reader.readexactly(1))[0])
        assert (user, password) == (b"nurse", b"pass-word-0123")
        writer.write(b"\x01\x00")
        kind = (await reader.readexactly(4))[3]
        size = 4 if kind == 1 else (await reader.readexactly(1))[0]
        asked.append(await reader.readexactly(size))
        await reader.readexactly(2)
        writer.write(b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00")
        there, back = await asyncio.open_connection("127.0.0.1", port)
        async with asyncio.TaskGroup() as both:
            both.create_task(_pass_on(reader, back))
            both.create_task(_pass_on(there, writer))

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


async def _chat(spec: str) -> str:
    provider = open_provider(resolve(spec, place="--model"))
    try:
        return (await provider.chat(ChatRequest((Message("user", "hi"),), Sampling(timeout=20.0)), patient=False)).text
    finally:
        await provider.aclose()


@pytest.mark.asyncio
async def test_socks_proxy_with_a_password_leads_to_the_server(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("aiohttp_socks")
    asked: list[bytes] = []
    async with socks(server.port, asked) as port:
        monkeypatch.setenv("ALL_PROXY", f"socks5h://nurse:pass-word-0123@127.0.0.1:{port}")
        assert await _chat("compatible:m@http://models.test/v1") == "ok"
        secrets = resolve("compatible:m@http://models.test/v1", place="x").secrets
    assert asked == [b"models.test"]  # looked up by the proxy
    assert server.seen[0].headers["host"] == "models.test"
    assert secrets.hide("echo pass-word-0123") == "echo [key]"


def test_socks_without_its_library_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.setenv("ALL_PROXY", "socks5://nurse:pass-word-0123@127.0.0.1:1080")
    with pytest.raises(ConfigError, match=r"SOCKS proxy, socks5://127\.0\.0\.1:1080 .*\[socks\].*NO_PROXY=h") as caught:
        resolve("compatible:m@http://h:1/v1", place="--model")
    assert "pass-word" not in str(caught.value)
    monkeypatch.setenv("NO_PROXY", "h")
    assert resolve("compatible:m@http://h:1/v1", place="--model").base_url == "http://h:1/v1"


@pytest.mark.asyncio
async def test_socks_proxy_that_hangs_up_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("aiohttp_socks")
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    address = f"socks5://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    monkeypatch.setenv("ALL_PROXY", address)
    try:
        with pytest.raises(ProviderError, match=f"no connection: .*through the proxy {address} of the environment"):
            await _chat("compatible:m@http://127.0.0.1:9/v1")
    finally:
        server.close()


@pytest.mark.asyncio
@pytest.mark.parametrize("value", ["http://nurse:pass-word-0123@127.0.0.1:9", "nurse:pass-word-0123@127.0.0.1:9"])
async def test_proxy_that_is_not_there_is_named_without_its_password(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("HTTP_PROXY", value)
    with pytest.raises(ProviderError, match=r"no connection: .*through the proxy http://127\.0\.0\.1:9") as caught:
        await _chat("compatible:m@http://models.test/v1")
    assert "pass-word" not in str(caught.value)


@pytest.mark.parametrize(
    ("address", "exempt", "through"),
    [
        ("http://h/v1", "", "http://p:1"),
        ("https://h/v1", "", None),
        ("http://h/v1", "h", None),
        ("http://user:key@h/v1", "h", None),
        ("no address", "", None),
    ],
)
def test_which_proxy_a_server_has(
    monkeypatch: pytest.MonkeyPatch, address: str, exempt: str, through: str | None
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "p:1")
    monkeypatch.setenv("NO_PROXY", exempt)
    assert proxies.proxy(address) == through
