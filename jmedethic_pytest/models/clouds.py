"""Clouds that serve models under addresses and with credentials of their own; the SDKs' classes speak to them.

A row of ``data/providers.toml``, or a table ``[providers.NAME]``, says ``cloud``. Addresses follow from region, project
or resource; credentials are a key, or what the cloud's own library finds (Entra ID, the AWS and Google chains).
"""

from __future__ import annotations

import asyncio
import importlib.util
import os
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import NamedTuple
from urllib.parse import urlsplit

from jmedethic_pytest.core.errors import ConfigError, ProviderError
from jmedethic_pytest.data import load
from jmedethic_pytest.models import addresses
from jmedethic_pytest.models.base import ModelRef

_AZURE_API_VERSION = "2024-10-21"
"""The newest version of Azure's own API that is no preview; OPENAI_API_VERSION or a query names another."""
_ENTRA_VARIABLE = "AZURE_OPENAI_AD_TOKEN"
_ENTRA_SCOPE = "https://cognitiveservices.azure.com/.default"
_VERTEX_HOSTS = {
    "global": "aiplatform.googleapis.com",
    "us": "aiplatform.us.rep.googleapis.com",
    "eu": "aiplatform.eu.rep.googleapis.com",
}
_LIBRARIES = {
    "azure": ("azure.identity", "azure"),
    "foundry": ("azure.identity", "azure"),
    "bedrock": ("boto3", "aws"),
    "vertex": ("google.auth", "gcp"),
}
"""What finds the credentials of a cloud, and the extra it comes with."""


class _Variables(NamedTuple):
    """Variables of the environment of which the first that is set counts."""

    names: tuple[str, ...]

    def read(self, what: str) -> str:
        found = next((value for name in self.names if (value := os.environ.get(name, "").strip())), None)
        if found is None:
            others = f" (or {', '.join(self.names[1:])})" if self.names[1:] else ""
            raise ConfigError(
                f"{what} needs the environment variable {self.names[0]}{others}. Next: export {self.names[0]}=..."
            )
        return found


AWS_REGION = _Variables(("AWS_REGION", "AWS_DEFAULT_REGION"))
GOOGLE_REGION = _Variables(("CLOUD_ML_REGION", "GOOGLE_CLOUD_LOCATION"))
GOOGLE_PROJECT = _Variables(("ANTHROPIC_VERTEX_PROJECT_ID", "GOOGLE_CLOUD_PROJECT"))
FOUNDRY_RESOURCE = _Variables(("ANTHROPIC_FOUNDRY_RESOURCE",))
AZURE_ENDPOINT = _Variables(("AZURE_OPENAI_ENDPOINT",))
_NEEDED = {"bedrock": (AWS_REGION,), "vertex": (GOOGLE_REGION, GOOGLE_PROJECT)}
"""What a class of the SDK is told beside the address."""


def address(cloud: str, kind: str, what: str) -> str:
    """Return where a cloud serves models, by the environment.

    Args:
        cloud: its name in ``data/providers.toml``.
        kind: the protocol, since a cloud may serve each at another place.
        what: whose address it is, for the error.

    Raises:
        ConfigError: naming the variable that is missing.
    """
    if cloud == "azure":
        return AZURE_ENDPOINT.read(what)
    if cloud == "foundry":
        return f"https://{FOUNDRY_RESOURCE.read(what)}.services.ai.azure.com/anthropic"
    if cloud == "bedrock":
        region = AWS_REGION.read(what)
        mantle = f"https://bedrock-mantle.{region}.api.aws/openai/v1"
        return f"https://bedrock-runtime.{region}.amazonaws.com" if kind == "anthropic" else mantle
    region = GOOGLE_REGION.read(what)
    base = f"https://{_VERTEX_HOSTS.get(region, f'{region}-aiplatform.googleapis.com')}/v1"
    project = GOOGLE_PROJECT.read(what)
    return base if kind == "anthropic" else f"{base}/projects/{project}/locations/{region}/endpoints/openapi"


def query(cloud: str | None, given: Mapping[str, str]) -> dict[str, str]:
    """Return what stands behind the ``?`` of an address of a cloud, with what was given."""
    version = os.environ.get("OPENAI_API_VERSION", "").strip() or _AZURE_API_VERSION
    return {"api-version": version, **given} if cloud == "azure" else dict(given)


def check(cloud: str, address: str, own: str | None, key: str | None, what: str) -> None:
    """See to it that a model of a cloud can be called.

    Args:
        cloud: its name.
        address: where it would be called.
        own: the address that environment or thresholds file give; credentials go there and to the cloud's own hosts.
        key: the key, if there is one; else the cloud's own library is needed.
        what: the model, for errors.

    Raises:
        ConfigError: for a foreign address, a missing variable, or no way to sign.
    """
    row, parts = load("providers.toml")[cloud], urlsplit(address)
    at_home = parts.scheme == "https" and any(re.fullmatch(host, parts.hostname or "") for host in row["hosts"])
    if not at_home and not addresses.same_server(address, own):
        raise ConfigError(
            f"{what}: {parts.hostname!r} is no host of {cloud!r}, and its credentials are sent to no other. "
            f'Next: describe a gateway as [providers.NAME] with cloud = "{cloud}" and base_url in the thresholds file.'
        )
    for variables in _NEEDED.get(cloud, ()):
        variables.read(what)
    module, extra = _LIBRARIES[cloud]
    if not (key or os.environ.get(row.get("token_env", "")) or _installed(module)):
        raise ConfigError(
            f"{what} needs the environment variable {row['optional_key_env']}, or the cloud's own credentials: "
            f"pip install 'jmedethic-pytest[{extra}]'."
        )


def _installed(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def secrets(cloud: str | None) -> list[str]:
    """Return what of the environment is sent to a cloud, or signs for it, and must be written nowhere."""
    names = load("providers.toml")[cloud].get("secrets", []) if cloud else []
    return [value for name in names if (value := os.environ.get(name, ""))]


def entra_token() -> Callable[[], Awaitable[str]]:
    """Return what gives a token of Entra ID, renewed when it has to be: of the environment, else of azure-identity."""
    given = os.environ.get(_ENTRA_VARIABLE, "").strip()
    if given:
        return lambda: asyncio.sleep(0, given)
    from azure.identity import DefaultAzureCredential, get_bearer_token_provider

    provider = get_bearer_token_provider(DefaultAzureCredential(), _ENTRA_SCOPE)
    return lambda: asyncio.to_thread(provider)


def credentials(ref: ModelRef) -> AbstractContextManager[None]:
    """Word what a cloud's library raises when it finds no credentials: each has exceptions of its own."""
    return _worded(ref) if ref.cloud else nullcontext()


@contextmanager
def _worded(ref: ModelRef) -> Iterator[None]:
    try:
        yield
    except ProviderError:
        raise
    except Exception as error:  # noqa: BLE001 - those of any library
        said = " ".join(ref.secrets.hide(str(error)).split())[:300]
        text = f"{ref.label}: no credentials of {ref.cloud}: {type(error).__name__}: {said}"
        raise ProviderError(text, fatal=True) from None


def changing(cloud: str | None, key: str | None) -> bool:
    """Tell whether a request of a cloud is unlike the last one in its headers or rewritten by the SDK."""
    return cloud in ("bedrock", "vertex") or (cloud is not None and key is None)
