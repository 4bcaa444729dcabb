"""What the transports to chat models share: the client of an SDK on connections of ours, one attempt, the list."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace
from typing import Any, ClassVar, Literal

from jmedethic_pytest.config.servers import Dialect
from jmedethic_pytest.core.errors import ProviderError
from jmedethic_pytest.core.records import Reply
from jmedethic_pytest.models import clouds, direct, http
from jmedethic_pytest.models.base import ChatRequest, ModelRef, Observer
from jmedethic_pytest.models.direct import Wire
from jmedethic_pytest.models.learning import Learner


class Transport(ABC):
    """Transport to one model (see :class:`jmedethic_pytest.models.base.Provider`).

    Args:
        ref: the model.
        observe: told status and headers of every answer.
    """

    sdk: ClassVar[Any]
    """The SDK module, whose exceptions are understood."""
    route: ClassVar[str]
    """What follows the server's address in a call ..."""
    listing: ClassVar[str]
    """... and in the question for its models,"""
    ends: ClassVar[str]
    """of which each has its announced end under this key."""

    def __init__(self, ref: ModelRef, observe: Observer | None = None) -> None:
        self._ref = ref
        self._wire = Wire(ref, observe)
        self._client = self._opened()
        self._learner = Learner(ref.dialect, ref.kind)

    @property
    def learned(self) -> tuple[str, ...]:
        """What is sent otherwise than it was asked for, since the server refuses it."""
        return tuple(self._learner.learned)

    @abstractmethod
    def _opened(self) -> Any:
        """Return the SDK's client."""

    @abstractmethod
    def _body(self, request: ChatRequest, dialect: Dialect) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return what is sent, and the parameters in it that a record keeps."""

    @abstractmethod
    def _reply(self, answer: dict[str, Any], sent: dict[str, Any], seconds: float) -> Reply:
        """Return what an answer says."""

    async def chat(self, request: ChatRequest, *, patient: bool) -> Reply:  # noqa: ARG002 - one attempt
        """Send one request (see :class:`jmedethic_pytest.models.base.Provider`)."""
        dialect = self._learner.dialect
        request = self._addressed(request)
        body, sent = self._body(request, dialect)
        try:
            with clouds.credentials(self._ref):
                return await http.reply(
                    self._ref,
                    lambda: self._wire.post(self._client, self.route, body, request.sampling.max_reply_bytes),
                    self._reply,
                    sent=sent,
                    timeout=dialect.timeout or request.sampling.timeout,
                    sdk=self.sdk,
                )
        except ProviderError as error:
            self._learner.hear(error, request, dialect)
            raise

    def body(self, request: ChatRequest) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return what a call would send by what is known of the server now, and what of it a record keeps."""
        return self._body(self._addressed(request), self._learner.dialect)

    def reply(self, answer: dict[str, Any], sent: dict[str, Any]) -> Reply:
        """Return what an answer says that came by another way than a call.

        Raises:
            ProviderError: if it is an error after all, or the reader cannot make sense of it.
        """
        return http.read(self._ref, answer, self._reply, sent, 0.0)

    async def ask(
        self,
        method: Literal["GET", "POST"],
        path: str,
        content: bytes | direct.Upload = b"",
        *,
        most: int,
        timeout: float,
    ) -> bytes:
        """Ask the server for something that is no call (see :func:`jmedethic_pytest.models.direct.ask`).

        Raises:
            ProviderError: if it cannot be asked, or refuses.
        """
        with clouds.credentials(self._ref):
            return await http.attempt(
                self._ref,
                lambda: direct.ask(self._client, method, path, content, most),
                timeout=timeout,
                sdk=self.sdk,
            )

    def _addressed(self, request: ChatRequest) -> ChatRequest:
        """Return a request with what says who of the server is to answer it."""
        if not self._ref.extra:
            return request
        extra = {**request.sampling.extra, **self._ref.extra}
        return replace(request, sampling=request.sampling.model_copy(update={"extra": extra}))

    async def models(self) -> dict[str, str | None]:
        """Return the models the server lists, each with its announced end, if it has one. Costs nothing.

        Raises:
            ProviderError: if the server cannot be asked.
        """
        return {str(row["id"]): row.get(self.ends) for row in await self._rows()}

    async def described(self) -> dict[str, Any]:
        """Return the model's own row of the server's list, empty if it is not there. Costs nothing.

        Raises:
            ProviderError: if the server cannot be asked.
        """
        return next((row for row in await self._rows() if str(row["id"]) == self._ref.asked_as), {})

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def _rows(self) -> list[dict[str, Any]]:
        """Ask the server for its models, and what it says of each; a cloud lists them elsewhere, if at all."""
        if self._ref.cloud:
            return []
        answer, _ = await http.call(
            self._ref,
            lambda: direct.get(self._client, self.listing),
            timeout=http.CONNECT_TIMEOUT,
            sdk=self.sdk,
        )
        return http.read(self._ref, answer, lambda found: [{**row, "id": row["id"]} for row in found.get("data") or []])
