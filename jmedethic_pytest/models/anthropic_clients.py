"""The Anthropic SDK's clients: for a server at an address, and for the clouds that serve Claude."""

from __future__ import annotations

from typing import Any

import anthropic

from jmedethic_pytest.models import addresses, clouds
from jmedethic_pytest.models.base import NO_KEY, ModelRef
from jmedethic_pytest.models.direct import Wire


def client(ref: ModelRef, wire: Wire) -> Any:
    """Return the client of a model, on connections of ours; all have the SDK's ``post`` and ``get``.

    Raises:
        ProviderError: if the cloud's library finds no credentials.
    """
    address, query = addresses.split(ref.base_url or "")
    common: dict[str, Any] = {
        "base_url": address,
        "max_retries": 0,
        "default_headers": ref.headers,
        "default_query": {**ref.dialect.query, **query},
        "http_client": wire.http_client,
    }
    with clouds.credentials(ref):
        made = _made(ref, common)
    if ref.provider != "anthropic":  # The SDK adds headers of its own variable; no other server is to learn them.
        made._custom_headers = ref.headers
    return made


def _made(ref: ModelRef, common: dict[str, Any]) -> Any:
    if ref.cloud == "bedrock":
        region = clouds.AWS_REGION.read(ref.label)
        return anthropic.AsyncAnthropicBedrock(aws_region=region, api_key=ref.api_key, **common)
    if ref.cloud == "vertex":
        return anthropic.AsyncAnthropicVertex(
            region=clouds.GOOGLE_REGION.read(ref.label),
            project_id=clouds.GOOGLE_PROJECT.read(ref.label),
            access_token=ref.api_key,
            **common,
        )
    if ref.cloud == "foundry":
        token = None if ref.api_key else clouds.entra_token()
        return anthropic.AsyncAnthropicFoundry(api_key=ref.api_key, azure_ad_token_provider=token, **common)
    return anthropic.AsyncAnthropic(api_key=ref.api_key or NO_KEY, **common)
