"""The connection under both SDKs: aiohttp, and a short way for the calls that succeed.

The short way is for servers whose headers never change, such as an API key: whoever signs each request or renews a
token switches it off (:attr:`jmedethic_pytest.config.servers.Dialect.direct`) and goes the SDK's way.

An SDK and httpx build every request anew and turn every answer into objects, for some three times the CPU of the
exchange itself (docs/performance.md). So the SDK builds the first request to an address; the next ones go out with the
same headers, and an answer with status 200 is all there is to do. Every other outcome is handed to the SDK as that of
its own attempt: it words the error, as always. Nobody here tries again: that is the client's business
(:mod:`jmedethic_pytest.models.endpoint`), so that every request that leaves the machine is counted.
"""

from __future__ import annotations

import functools
import json
import re
import ssl
from contextvars import ContextVar
from typing import Any, Literal, NamedTuple

import aiohttp
import httpx2
import yarl
from pydantic_core import to_json

from jmedethic_pytest.core.errors import ProviderError
from jmedethic_pytest.core.secrets import HIDDEN, public_url
from jmedethic_pytest.core.text import one_line, whole
from jmedethic_pytest.models import http, proxies
from jmedethic_pytest.models.base import NO_KEY, ModelRef, Observer

_KEEP_SECONDS = 5.0
"""How long an idle connection is kept; common servers close theirs after as much."""
_LONGEST_HEADER = 65_536
"""Bytes of one header or status line; gateways write traces and policies of more than aiohttp's 8 kB."""
_LISTING_BYTES = 20_000_000
"""The most that is read of a list of models; a router's is long."""
_LATIN = "iso-8859-1"
"""Decodes every byte there can be in a header."""
_WRITTEN_BY_AIOHTTP = {b"host", b"connection", b"content-length", b"transfer-encoding"}
_NO_KEY = f"Bearer {NO_KEY}".encode()
_CREDENTIALS = ("authorization", "x-api-key", "api-key", "x-goog-api-key", "x-amz-security-token")
_SHORTEST_CREDENTIAL = 8
_READ_BY_AIOHTTP = "gzip, deflate"
"""Said by the SDK, as a signature may cover it; aiohttp reads others only with further libraries."""
_UNTRUE_ONCE_DECOMPRESSED = {b"content-encoding", b"content-length"}
_BYTES = re.compile(r"""(?:\s|\\n|:)*\bb\\?['"].*""", re.DOTALL)
"""The piece of an answer that aiohttp quotes where it breaks the protocol."""
_KINDS: tuple[tuple[type[Exception], type[httpx2.TransportError]], ...] = (
    (aiohttp.ClientHttpProxyError, httpx2.ProxyError),
    (aiohttp.ClientProxyConnectionError, httpx2.ProxyError),
    (aiohttp.ClientConnectorError, httpx2.ConnectError),
    (aiohttp.ServerDisconnectedError, httpx2.RemoteProtocolError),
    (aiohttp.ClientResponseError, httpx2.ProtocolError),
    (aiohttp.ClientPayloadError, httpx2.ReadError),
)
"""What aiohttp raises, and what the SDKs know; the first that fits."""

_Headers = list[tuple[str, str]]


class _Answer(NamedTuple):
    """A whole answer of a server, decompressed."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    kind: str
    """Its media type."""
    content: bytes


_attempted: ContextVar[_Answer | httpx2.TransportError | None] = ContextVar("attempted", default=None)
"""What became of the request that the SDK is about to send in this task, if it was sent already."""
_most: ContextVar[int] = ContextVar("most", default=_LISTING_BYTES)
"""Bytes that may be read of the answer to what is sent in this task."""


class Wire:
    """The connections to one server; no redirect is followed, no cookie is kept.

    Must be created inside the event loop that uses it. Time limits are the caller's.

    Args:
        ref: the model; its address says whether TLS is needed, and which of the environment's proxies.
        observe: told status and headers of every answer.
    """

    def __init__(self, ref: ModelRef, observe: Observer | None = None) -> None:
        base_url = ref.base_url or ""
        self._ref = ref
        self._observe = observe
        self._direct = ref.dialect.direct
        self._written: dict[str, tuple[str, _Headers]] = {}
        """Address and headers by path, as the SDK has written them."""
        trust = _trust() if base_url.startswith("https:") else True
        through = None if ref.served else proxies.proxy(base_url)
        self._through = f" (through the proxy {public_url(through)} of the environment)" if through else ""
        socks = through if through and proxies.is_socks(through) else None
        self._failures: tuple[type[Exception], ...] = (aiohttp.ClientError, OSError, *proxies.failures(socks))
        options: Any = {"limit": 0, "keepalive_timeout": _KEEP_SECONDS, "ssl": trust}
        self._session = aiohttp.ClientSession(
            connector=proxies.socks_connector(socks, **options) if socks else aiohttp.TCPConnector(**options),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None),
            max_line_size=_LONGEST_HEADER,
            max_field_size=_LONGEST_HEADER,
            proxy=None if socks else through,
        )
        self.http_client = _HttpClient(self)
        """What the SDK's client is to be given."""

    async def post(self, sdk: Any, path: str, body: dict[str, Any], most: int) -> Any:
        """Make one attempt of a call, the short way if there is one.

        Args:
            sdk: the SDK's client, made with :attr:`http_client`.
            path: what follows the server's address.
            body: what is sent as JSON.
            most: bytes that may be read of the answer, decompressed.

        Returns:
            The JSON of the answer; its text if the answer does not claim to be JSON.

        Raises:
            Exception: the SDK's errors.
            ProviderError: if the answer is too large, or a redirect.
            ValueError: if the answer claims to be JSON and is none.
        """
        _most.set(most)
        outcome = await self._short_way(path, body) if path in self._written else None
        if isinstance(outcome, _Answer) and outcome.status == 200:
            return _decoded(outcome.kind, outcome.content)
        reset = _attempted.set(outcome)
        try:
            response = await sdk.post(path, cast_to=httpx2.Response, body=body, options={"max_retries": 0})
        finally:
            _attempted.reset(reset)
        if self._direct:
            own = [pair for pair in _own_headers(response.request) if pair[0].lower() != "x-stainless-retry-count"]
            self._written.setdefault(path, (str(response.request.url), own))
        return _decoded(response.headers.get("content-type", ""), response.content)

    async def _short_way(self, path: str, body: dict[str, Any]) -> _Answer | httpx2.TransportError:
        content = to_json(body)
        try:
            return await self.exchange("POST", *self._written[path], content)
        except httpx2.TransportError as error:
            return error

    async def exchange(self, method: str, address: str, headers: _Headers, content: bytes) -> _Answer:
        """Send a request and read the answer.

        Raises:
            httpx2.TransportError: if there is no whole answer.
            ProviderError: if it is too large, or a redirect.
        """
        try:
            async with self._session.request(
                method,
                yarl.URL(address, encoded=True),
                headers=headers,
                data=content or None,
                allow_redirects=False,
            ) as answer:
                if self._observe is not None:
                    self._observe(answer.status, answer.headers)
                if "Location" in answer.headers and 300 <= answer.status < 400:
                    raise self._moved(answer.status, answer.headers["Location"])
                raw = answer.raw_headers
                if "Content-Encoding" in answer.headers:
                    raw = tuple(header for header in raw if header[0].lower() not in _UNTRUE_ONCE_DECOMPRESSED)
                return _Answer(answer.status, raw, answer.content_type, await self._bounded(answer.content))
        except self._failures as error:
            kind = next((ours for theirs, ours in _KINDS if isinstance(error, theirs)), httpx2.NetworkError)
            raise kind(f"{_worded(error, kind)}{self._through}") from error
        except ValueError as error:  # an address or a header that cannot be sent
            said = f"{type(error).__name__}: {http.shown(self._ref, error, 300)}"
            text = f"{self._ref.label} at {self._ref.address}: no connection: {said}"
            raise ProviderError(text, trouble="dead") from None

    async def _bounded(self, content: aiohttp.StreamReader) -> bytes:
        """Read an answer as long as it is not too large, however well it is packed."""
        most, size, parts = _most.get(), 0, []
        while part := await content.readany():
            size += len(part)
            if size > most:
                text = f"the answer is larger than {most:,} bytes (max_reply_bytes): it was not read"
                raise ProviderError(f"{self._ref.label} at {self._ref.address}: {text}", trouble="request")
            parts.append(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _moved(self, status: int, target: str) -> ProviderError:
        text = (
            f"{self._ref.label} at {self._ref.address}: HTTP {status}: it redirects to "
            f"{public_url(one_line(target, 200))}, and no conversation or key is sent on. If that is the right one, "
            "give it yourself"
        )
        return ProviderError(text, trouble="dead", http_status=status)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._session.close()


async def get(sdk: Any, path: str) -> Any:
    """Ask for something through an SDK; answers and errors are those of :meth:`Wire.post`."""
    response = await sdk.get(path, cast_to=httpx2.Response, options={"max_retries": 0})
    return _decoded(response.headers.get("content-type", ""), response.content)


class Upload(NamedTuple):
    """A file in a form."""

    name: str
    content: bytes
    fields: dict[str, str]
    """What stands beside it."""


async def ask(sdk: Any, method: Literal["GET", "POST"], path: str, content: bytes | Upload, most: int) -> bytes:
    """Ask a server for something that is no call of a model, through an SDK; return the content of the answer.

    Args:
        sdk: its client.
        method: of the request.
        path: what follows the server's address.
        content: what is sent: JSON, or a form.
        most: bytes that may be read of the answer.

    Raises:
        Exception: the SDK's errors.
        ProviderError: if the answer is too large, or a redirect.
    """
    _most.set(most)
    options: dict[str, Any] = {"max_retries": 0}
    if method == "GET":
        response = await sdk.get(path, cast_to=httpx2.Response, options=options)
    elif isinstance(content, bytes):
        response = await sdk.post(path, cast_to=httpx2.Response, content=content, options=options)
    else:
        options["headers"] = {"Content-Type": "multipart/form-data"}
        files = [("file", (content.name, content.content, "application/jsonl"))]
        response = await sdk.post(path, cast_to=httpx2.Response, body=content.fields, files=files, options=options)
    answer: bytes = response.content
    return answer


class _HttpClient(httpx2.AsyncClient):
    """The same connections as the SDKs want to see them."""

    def __init__(self, wire: Wire) -> None:
        super().__init__(transport=httpx2.AsyncBaseTransport(), headers={"accept-encoding": _READ_BY_AIOHTTP})
        self._wire = wire

    async def send(self, request: httpx2.Request, **_: Any) -> httpx2.Response:
        """Send a request, unless it was sent already: then only its outcome is reported."""
        outcome = _attempted.get()
        _attempted.set(None)
        if outcome is None:
            headers = _own_headers(request)
            sent = await self._wire.exchange(request.method, str(request.url), headers, request.read())
            outcome = sent._replace(content=_without_credentials(request, sent.content))
        if isinstance(outcome, httpx2.TransportError):
            raise outcome
        return httpx2.Response(outcome.status, headers=outcome.headers, content=outcome.content, request=request)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._wire.aclose()
        await super().aclose()


def _without_credentials(request: httpx2.Request, content: bytes) -> bytes:
    """Return an answer without what its request proved itself by: a cloud's token is known to nobody but the SDK."""
    for name in _CREDENTIALS:
        credential = request.headers.get(name, "").rpartition(" ")[2].encode()
        if len(credential) >= _SHORTEST_CREDENTIAL:
            content = content.replace(credential, HIDDEN.encode())
    return content


def _own_headers(request: httpx2.Request) -> _Headers:
    """Return the headers that the SDK wrote, without the placeholder of a key that there is none of."""
    return [
        (name.decode(_LATIN), value.decode(_LATIN))
        for name, value in request.headers.raw
        if name.lower() not in _WRITTEN_BY_AIOHTTP and value != _NO_KEY
    ]


def _decoded(kind: str, content: bytes) -> Any:
    """Return the JSON of an answer, whole texts in it; the text of one that neither claims nor looks to be any.

    Raises:
        ValueError: if it claims or looks to be JSON and is none.
    """
    is_json = kind.partition(";")[0].strip().lower().endswith("json")
    if not is_json and not content.lstrip().startswith(b"{"):
        return content.decode(errors="replace")
    value = json.loads(content)
    # Only an escape can bring half of a surrogate pair into UTF-8.
    return whole(value) if b"\\ud" in content or b"\\uD" in content else value


def _worded(error: Exception, kind: type[httpx2.TransportError]) -> str:
    """Return what failed, without the piece of an answer that is quoted: it may be a text of the model."""
    said = str(error)
    if isinstance(error, aiohttp.ClientResponseError) and kind is httpx2.ProtocolError:
        said = error.message
        if not _BYTES.search(said):  # quoted in another way, as by aiohttp's parser in Python
            return f"{type(error).__name__} {error.status}"
    return _BYTES.sub("", said) or type(error).__name__


@functools.cache
def _trust() -> ssl.SSLContext:
    """Return what servers are trusted by: httpx's certificates, read once (a tenth of a second)."""
    return httpx2.create_ssl_context()
