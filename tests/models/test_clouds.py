"""Azure, Foundry, Bedrock and Vertex: path, query, headers and signature of what reaches the server. No network."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from jmedethic_pytest.config.sampling import Sampling
from jmedethic_pytest.config.servers import ProviderTable
from jmedethic_pytest.core.errors import ConfigError, ProviderError
from jmedethic_pytest.core.records import Reply
from jmedethic_pytest.models import ChatRequest, Message, open_provider, resolve
from support.chat_server import Answer

KEY = "cloud-key-0123456789abcdef"
AWS = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE0123", "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"}
CLAUDE = "anthropic.claude-sonnet-4-5-20250929-v1:0"


@pytest.fixture(autouse=True)
def no_cloud(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No credentials but a test's own, and no metadata server."""
    for name in (*AWS, "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_BEARER_TOKEN_BEDROCK"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_SESSION_TOKEN", "CLOUD_ML_REGION", "GOOGLE_CLOUD_LOCATION", "GOOGLE_CLOUD_PROJECT"):
        monkeypatch.delenv(name, raising=False)
    for name in ("ANTHROPIC_VERTEX_PROJECT_ID", "OPENAI_API_VERSION", "AZURE_OPENAI_AD_TOKEN", "AZURE_OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv("ANTHROPIC_FOUNDRY_API_KEY", raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "CLOUDSDK_CONFIG"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("NO_GCE_CHECK", "true")


async def chat(spec: str, *texts: str, **more: Any) -> list[Reply]:
    """Ask one question after the other, on one connection."""
    provider = open_provider(resolve(spec, place="--model", **more))
    try:
        return [
            await provider.chat(ChatRequest((Message("user", text),), Sampling(timeout=20.0)), patient=False)
            for text in texts
        ]
    finally:
        await provider.aclose()


@pytest.fixture
def entra(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """azure-identity with tokens that are renewed for every question; the scopes asked for."""
    scopes: list[str] = []
    identity, azure = ModuleType("azure.identity"), ModuleType("azure")

    def get_bearer_token_provider(credential: object, scope: str) -> Any:
        assert credential == "default"
        return lambda: (scopes.append(scope), f"entra-token-{len(scopes)}-0123456789")[1]

    identity.DefaultAzureCredential = lambda: "default"  # type: ignore[attr-defined]
    identity.get_bearer_token_provider = get_bearer_token_provider  # type: ignore[attr-defined]
    identity.__spec__ = azure.__spec__ = pytest.__spec__
    monkeypatch.setitem(sys.modules, "azure", azure)
    monkeypatch.setitem(sys.modules, "azure.identity", identity)
    return scopes


@pytest.mark.asyncio
@pytest.mark.parametrize("tail", ["", "/", "/openai/deployments/my-gpt/chat/completions", "/openai"])
async def test_azure_with_a_key(server: Any, monkeypatch: pytest.MonkeyPatch, tail: str) -> None:
    monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", server.anthropic_url + tail)
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", KEY)
    monkeypatch.setenv("OPENAI_ORG_ID", "org-of-another")
    assert [reply.text for reply in await chat("azure:my-gpt", "one", "two")] == ["ok", "ok"]
    for seen in server.seen:
        assert seen.path == "/openai/deployments/my-gpt/chat/completions?api-version=2024-10-21"
        assert seen.headers["api-key"] == KEY
        assert "authorization" not in seen.headers
        assert "org-of-another" not in str(seen.headers)
    assert resolve("azure:my-gpt", place="x").describe()["dialect"]["query"] == {"api-version": "2024-10-21"}


@pytest.mark.asyncio
async def test_azure_of_another_version_under_a_name_of_the_users_own(
    server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WARD_KEY", KEY)
    monkeypatch.setenv("OPENAI_API_VERSION", "2025-01-01-preview")
    table = ProviderTable(cloud="azure", base_url=server.anthropic_url, api_key_env="WARD_KEY")
    await chat("ward:my-gpt", "one", providers={"ward": table})
    await chat(f"ward:my-gpt@{server.anthropic_url}/?api-version=2024-06-01", "one", providers={"ward": table})
    assert [seen.path.partition("?")[2] for seen in server.seen] == [
        "api-version=2025-01-01-preview",
        "api-version=2024-06-01",
    ]
    assert all(seen.headers["api-key"] == KEY for seen in server.seen)


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("spec", "variable", "path"),
    [
        ("azure:m", "AZURE_OPENAI_ENDPOINT", "/openai/deployments/m/chat/completions?api-version=2024-10-21"),
        ("foundry:m", "ANTHROPIC_FOUNDRY_BASE_URL", "/anthropic/v1/messages"),
    ],
)
async def test_tokens_of_entra_id_are_renewed(
    server: Any, monkeypatch: pytest.MonkeyPatch, entra: list[str], spec: str, variable: str, path: str
) -> None:
    server.script = lambda seen: server.anthropic("ok") if "anthropic" in seen.path else "ok"
    monkeypatch.setenv(variable, server.anthropic_url + ("/anthropic" if spec.startswith("foundry") else ""))
    await chat(spec, "one", "two")
    assert [seen.path for seen in server.seen] == [path, path]
    tokens = [seen.headers["authorization"] for seen in server.seen]
    assert tokens == ["Bearer entra-token-1-0123456789", "Bearer entra-token-2-0123456789"]
    assert set(entra) == {"https://cognitiveservices.azure.com/.default"}


@pytest.mark.asyncio
@pytest.mark.parametrize("code", [200, 500])
async def test_a_token_that_a_server_says_back_goes_nowhere(
    server: Any, monkeypatch: pytest.MonkeyPatch, entra: list[str], code: int
) -> None:
    monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", server.anthropic_url)

    def answer(seen: Any) -> Any:
        said = f"you are {seen.headers['authorization']}"
        return said if code == 200 else server.error(code, said)

    server.script = answer
    try:
        told = (await chat("azure:m", "one"))[0].text
    except ProviderError as error:
        told = str(error)
    assert "you are Bearer [key]" in told
    assert len(entra) == 1


@pytest.mark.asyncio
async def test_azures_filter_says_what_it_found(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", server.anthropic_url)
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", KEY)
    found = {
        "hate": {"filtered": False, "severity": "safe"},
        "jailbreak": {"detected": True, "filtered": True},
        "violence": {"filtered": True, "severity": "medium"},
    }
    inner = {"code": "ResponsibleAIPolicyViolation", "content_filter_result": found}
    error = {"code": "content_filter", "status": 400, "message": "The response was filtered", "innererror": inner}
    choice = {"index": 0, "message": {"role": "assistant"}, "finish_reason": "content_filter"}
    stopped = {"choices": [{**choice, "content_filter_results": found}]}
    answers = [Answer(400, {"error": error}), Answer(200, stopped)]
    server.script = lambda seen: answers[len(server.seen) - 1]
    replies = await chat("azure:m", "one", "two")
    assert [reply.status for reply in replies] == ["blocked", "blocked"]
    assert all("jailbreak, violence (medium)" in reply.detail and "hate" not in reply.detail for reply in replies)


@pytest.mark.asyncio
async def test_token_of_the_environment_needs_no_library(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", server.anthropic_url)
    monkeypatch.setenv("AZURE_OPENAI_AD_TOKEN", "eyJ-token-0123456789")
    await chat("azure:m", "one")
    assert server.seen[0].headers["authorization"] == "Bearer eyJ-token-0123456789"
    assert resolve("azure:m", place="x").secrets.hide("eyJ-token-0123456789") == "[key]"


@pytest.mark.asyncio
async def test_foundry_with_a_key(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_FOUNDRY_BASE_URL", f"{server.anthropic_url}/anthropic/")
    monkeypatch.setenv("ANTHROPIC_FOUNDRY_API_KEY", KEY)
    server.script = lambda seen: server.anthropic("ok")
    await chat("foundry:claude-opus-4", "one", "two")
    assert [seen.path for seen in server.seen] == ["/anthropic/v1/messages"] * 2
    assert all(seen.headers["x-api-key"] == KEY for seen in server.seen)
    assert server.seen[1].body["model"] == "claude-opus-4"
    monkeypatch.delenv("ANTHROPIC_FOUNDRY_BASE_URL")
    monkeypatch.setenv("ANTHROPIC_FOUNDRY_RESOURCE", "ward")
    assert resolve("foundry:m", place="x").base_url == "https://ward.services.ai.azure.com/anthropic"


def _signed(seen: Any, port: int, service: str) -> None:
    """Compute the signature of a request again, from what reached the server."""
    auth = pytest.importorskip("botocore.auth")
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    form = r"AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE0123/\d{8}/ap-northeast-1/SERVICE/aws4_request, "
    form += r"SignedHeaders=([a-z0-9;-]+), Signature=([0-9a-f]{64})"
    found = re.fullmatch(form.replace("SERVICE", service), seen.headers["authorization"])
    assert found, seen.headers["authorization"]
    assert re.fullmatch(r"\d{8}T\d{6}Z", seen.headers["x-amz-date"])
    headers = {name: seen.headers[name] for name in found[1].split(";")}
    assert {"host", "x-amz-date"} <= set(headers)
    request = AWSRequest("POST", f"http://127.0.0.1:{port}{seen.path}", headers=headers, data=seen.raw)
    request.context["timestamp"] = seen.headers["x-amz-date"]
    signer = auth.SigV4Auth(Credentials(*AWS.values()), service, "ap-northeast-1")
    text = signer.string_to_sign(request, signer.canonical_request(request))
    assert signer.signature(text, request) == found[2]


@pytest.mark.asyncio
async def test_bedrock_signs_every_request_to_claude(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("boto3")
    monkeypatch.setenv("ANTHROPIC_BEDROCK_BASE_URL", server.anthropic_url)
    monkeypatch.setenv("AWS_REGION", "ap-northeast-1")
    for name, value in AWS.items():
        monkeypatch.setenv(name, value)
    server.script = lambda seen: server.anthropic("ok")
    spec = f"bedrock:jp.{CLAUDE}"
    assert [reply.text for reply in await chat(spec, "一つ目", "two")] == ["ok", "ok"]
    for seen in server.seen:
        assert seen.path == f"/model/jp.{CLAUDE}/invoke"
        assert "model" not in seen.body
        assert seen.body["anthropic_version"]
        assert not {"temperature", "top_p"} & set(seen.body)
        _signed(seen, server.port, "bedrock")
    assert server.seen[0].headers["authorization"] != server.seen[1].headers["authorization"]
    secrets = resolve(spec, place="x").secrets
    assert secrets.hide(f"{AWS['AWS_SECRET_ACCESS_KEY']} {AWS['AWS_ACCESS_KEY_ID']}") == "[key] [key]"


@pytest.mark.asyncio
async def test_bedrock_signs_every_request_to_other_models(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("botocore")
    monkeypatch.setenv("AWS_BEDROCK_BASE_URL", f"{server.anthropic_url}/openai/v1")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "ap-northeast-1")
    for name, value in AWS.items():
        monkeypatch.setenv(name, value)
    await chat("bedrock:openai.gpt-oss-120b", "one", "two")
    for seen in server.seen:
        assert seen.path == "/openai/v1/chat/completions"
        assert seen.body["model"] == "openai.gpt-oss-120b"
        _signed(seen, server.port, "bedrock-mantle")


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("model", "variable", "path"),
    [
        (CLAUDE, "ANTHROPIC_BEDROCK_BASE_URL", f"/model/{CLAUDE}/invoke"),
        ("qwen.qwen3-32b", "AWS_BEDROCK_BASE_URL", "/chat/completions"),
    ],
)
async def test_bedrock_with_a_key_needs_no_signature(
    server: Any, monkeypatch: pytest.MonkeyPatch, model: str, variable: str, path: str
) -> None:
    monkeypatch.setenv(variable, server.anthropic_url)
    monkeypatch.setenv("AWS_REGION", "ap-northeast-1")
    monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", KEY)
    server.script = lambda seen: server.anthropic("ok") if "/model/" in seen.path else "ok"
    await chat(f"bedrock:{model}", "one")
    assert (server.seen[0].path, server.seen[0].headers["authorization"]) == (path, f"Bearer {KEY}")


@pytest.fixture
def google(server: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A service account whose tokens the test's server gives out."""
    pytest.importorskip("google.auth")
    rsa = pytest.importorskip("cryptography.hazmat.primitives.asymmetric.rsa")
    from cryptography.hazmat.primitives import serialization

    pem = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    account = {
        "type": "service_account",
        "project_id": "ward-7",
        "private_key_id": "1",
        "private_key": pem.decode(),
        "client_email": "judge@ward-7.iam.gserviceaccount.com",
        "token_uri": f"{server.anthropic_url}/token",
    }
    (tmp_path / "account.json").write_text(json.dumps(account))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "account.json"))


@pytest.mark.asyncio
@pytest.mark.parametrize("signed", [True, False])
@pytest.mark.parametrize(
    ("model", "variable", "path"),
    [
        (
            "claude-opus-4@20250514",
            "ANTHROPIC_VERTEX_BASE_URL",
            "/projects/ward-7/locations/asia-northeast1/publishers/anthropic/models/claude-opus-4@20250514:rawPredict",
        ),
        ("google/gemini-2.5-flash", "GOOGLE_VERTEX_BASE_URL", "/chat/completions"),
    ],
)
async def test_vertex_with_the_credentials_of_google_or_a_token(
    server: Any,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
    model: str,
    variable: str,
    path: str,
    signed: bool,
) -> None:
    monkeypatch.setenv(variable, server.anthropic_url)
    monkeypatch.setenv("CLOUD_ML_REGION", "asia-northeast1")
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "ward-7")
    if signed:
        request.getfixturevalue("google")
    else:
        monkeypatch.setenv("VERTEX_ACCESS_TOKEN", "ya29.0123456789")

    def script(seen: Any) -> Any:
        if seen.path == "/token":
            return server.openai().__class__(body={"access_token": "ya29.0123456789", "expires_in": 3600})
        return server.anthropic("ok") if "anthropic" in seen.path else "ok"

    server.script = script
    await chat(f"vertex:{model}", "one", "two")
    asked = [seen for seen in server.seen if seen.path != "/token"]
    assert [seen.path.replace("%40", "@") for seen in asked] == [path, path]
    assert {seen.headers["authorization"] for seen in asked} == {"Bearer ya29.0123456789"}
    assert len(server.seen) - len(asked) == int(signed)


@pytest.mark.parametrize(
    ("environment", "spec", "wanted"),
    [
        ({"AWS_REGION": "ap-northeast-1"}, f"bedrock:{CLAUDE}", "https://bedrock-runtime.ap-northeast-1.amazonaws.com"),
        ({"AWS_REGION": "eu-west-1"}, "bedrock:qwen.x", "https://bedrock-mantle.eu-west-1.api.aws/openai/v1"),
        ({"CLOUD_ML_REGION": "global"}, "vertex:claude-x", "https://aiplatform.googleapis.com/v1"),
        ({"CLOUD_ML_REGION": "eu"}, "vertex:claude-x", "https://aiplatform.eu.rep.googleapis.com/v1"),
        (
            {"GOOGLE_CLOUD_LOCATION": "us-east5"},
            "vertex:google/gemini",
            "https://us-east5-aiplatform.googleapis.com/v1/projects/p/locations/us-east5/endpoints/openapi",
        ),
    ],
)
def test_addresses_follow_from_region_and_project(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], spec: str, wanted: str
) -> None:
    for name, value in {**environment, "GOOGLE_CLOUD_PROJECT": "p", "VERTEX_ACCESS_TOKEN": KEY}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", KEY)
    found = resolve(spec, place="x")
    assert (found.base_url, found.dialect.direct) == (wanted, False)


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ("azure:m", "AZURE_OPENAI_ENDPOINT"),
        (f"bedrock:{CLAUDE}", r"AWS_REGION \(or AWS_DEFAULT_REGION\)"),
        ("vertex:claude-x", "CLOUD_ML_REGION"),
        ("foundry:m", "ANTHROPIC_FOUNDRY_RESOURCE"),
        ("azure:m@https://ward.openai.azure.com.evil.example", "no host of 'azure'"),
        ("azure:m@http://ward.openai.azure.com", "no host of 'azure'"),
        ("bedrock:m@https://bedrock-runtime.s3.amazonaws.com", "no host of 'bedrock'"),
        ("vertex:m@https://storage.googleapis.com", "no host of 'vertex'"),
    ],
)
def test_what_is_missing_or_foreign_is_said_before_a_call(
    monkeypatch: pytest.MonkeyPatch, spec: str, told: str
) -> None:
    for name in ("AZURE_OPENAI_API_KEY", "AWS_BEARER_TOKEN_BEDROCK", "VERTEX_ACCESS_TOKEN"):
        monkeypatch.setenv(name, KEY)
    with pytest.raises(ConfigError, match=told):
        resolve(spec, place="--model")


def test_table_cannot_take_the_name_of_a_cloud() -> None:
    table = {"azure": ProviderTable(cloud="azure", base_url="https://elsewhere.example")}
    with pytest.raises(ConfigError, match=r"\[providers.azure\] has the name of a public service"):
        resolve("azure:m", place="--model", providers=table)


@pytest.mark.asyncio
async def test_credentials_that_are_not_found_end_the_run_in_words(
    server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("boto3")
    monkeypatch.setenv("ANTHROPIC_BEDROCK_BASE_URL", server.anthropic_url)
    monkeypatch.setenv("AWS_REGION", "eu-west-1")  # the SDK keeps a session of each region
    with pytest.raises(ProviderError, match="no credentials of bedrock: RuntimeError: Could not resolve AWS") as caught:
        await chat(f"bedrock:{CLAUDE}", "one")
    assert caught.value.fatal
    assert not server.seen
