"""The OpenAI SDK's clients: for a server at an address, and for the clouds that it knows."""

from __future__ import annotations

import re
from typing import Any

import openai
from openai import providers

from jmedethic_pytest.models import addresses, clouds
from jmedethic_pytest.models.base import NO_KEY, ModelRef
from jmedethic_pytest.models.direct import Wire

_OWN_PATH = re.compile(r"(?<=[^/])/openai(?:/.*)?$")
"""What the SDK's class for Azure adds by itself, and people copy along."""


def client(ref: ModelRef, wire: Wire) -> openai.AsyncOpenAI:
    """Return the client of a model, on connections of ours.

    Raises:
        ProviderError: if the cloud's library finds no credentials.
    """
    address, query = addresses.split(ref.base_url or "")
    common: dict[str, Any] = {
        "max_retries": 0,
        "default_headers": ref.headers,
        "default_query": {**ref.dialect.query, **query},
        "http_client": wire.http_client,
    }
    with clouds.credentials(ref):
        made = _made(ref, address, common)
    if ref.provider != "openai":  # The SDK reads them from the environment; no other server is to learn them.
        made.organization = made.project = None
        made._custom_headers = ref.headers
    return made


def _made(ref: ModelRef, address: str, common: dict[str, Any]) -> openai.AsyncOpenAI:
    if ref.cloud == "azure":
        version = common["default_query"].pop("api-version")
        token: Any = None if ref.api_key else clouds.entra_token()
        return openai.AsyncAzureOpenAI(
            azure_endpoint=_OWN_PATH.sub("", address),
            azure_deployment=ref.name,
            api_version=version,
            api_key=ref.api_key,
            azure_ad_token_provider=token,
            **common,
        )
    if ref.cloud == "bedrock":
        region = clouds.AWS_REGION.read(ref.label)
        made = providers.bedrock(region=region, base_url=address, api_key=ref.api_key)
        return openai.AsyncOpenAI(provider=made, **common)
    if ref.cloud == "vertex":
        key = ref.api_key
        made = providers.vertex(base_url=address, token_provider=(lambda: key) if key else None)
        return openai.AsyncOpenAI(provider=made, **common)
    return openai.AsyncOpenAI(base_url=address, api_key=ref.api_key or NO_KEY, **common)
