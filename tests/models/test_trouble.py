"""What a failed call means, by status, codes and words together."""

from __future__ import annotations

from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jmedethic_pytest.core.errors import ProviderError, Trouble
from jmedethic_pytest.models import trouble as troubles


def _of(http: int, said: str = "", /, **error: Any) -> Trouble:
    return troubles.trouble(http, {"error": {"message": said, **error}}, error.get("message", said))


@pytest.mark.parametrize(
    ("status", "wanted"),
    [
        (200, "retry"),
        (307, "dead"),
        (400, "request"),
        (401, "account"),
        (402, "account"),
        (403, "dead"),
        (404, "dead"),
        (408, "retry"),
        (413, "too_long"),
        (418, "request"),
        (422, "request"),
        (429, "wait"),
        (500, "retry"),
        (502, "wait"),
        (503, "wait"),
        (504, "wait"),
        (507, "retry"),
        (522, "wait"),
        (529, "wait"),
        (424, "retry"),
        (498, "wait"),
        (499, "retry"),
    ],
)
def test_a_status_alone_says_something(status: int, wanted: Trouble) -> None:
    assert _of(status) == wanted


@pytest.mark.parametrize(
    ("status", "error", "wanted"),
    [
        (429, {"code": "insufficient_quota", "message": "You exceeded your current quota"}, "account"),
        (429, {"code": 429, "message": "litellm.RateLimitError: OpenAIException - insufficient_quota"}, "account"),
        (429, {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": "You exceeded your current quota"}, "wait"),
        (400, {"type": "invalid_request_error", "message": "Your credit balance is too low to access"}, "account"),
        (403, {"code": "billing_not_active", "message": "Your account is not active"}, "account"),
        (400, {"status": "INVALID_ARGUMENT", "message": "API key not valid. Please pass a valid API key."}, "account"),
        (400, {"message": "Incorrect API key provided"}, "account"),
        (400, {"type": "budget_exceeded", "message": "Budget has been exceeded! Current cost: 10.1"}, "account"),
        (400, {"code": "rate_limit_exceeded", "message": "slow down"}, "wait"),
        (500, {"type": "overloaded_error", "message": "Overloaded"}, "wait"),
        (404, {"code": "rate_limit_exceeded", "message": "no such model"}, "dead"),
        (200, {"message": "the model is temporarily overloaded"}, "wait"),
        (400, {"__type": "com.amazon.coral.service#ThrottlingException", "message": "slow down"}, "wait"),
        (403, {"message": "Out of call volume quota. Quota will be replenished in 00:01:00."}, "wait"),
        (400, {"message": "The model has crashed without additional information. (Exit code: 6)"}, "retry"),
    ],
)
def test_codes_and_words_say_more(status: int, error: dict[str, Any], wanted: Trouble) -> None:
    assert _of(status, **error) == wanted


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (400, "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens"),
        (400, "The decoder prompt (length 5012) is longer than the maximum model length of 4096."),
        (400, "max_tokens must be at least 1, got -916."),
        (400, "the request exceeds the available context size. try increasing the context size"),
        (500, "the request exceeds the available context size, try increasing it"),
        (400, "prompt is too long: 210000 tokens > 200000 maximum"),
        (400, "input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000"),
        (400, "the input length exceeds the context length"),
        (400, "The input (40000 tokens) is longer than the model's context length (32768 tokens)."),
        (422, "`inputs` tokens + `max_new_tokens` must be <= 4096. Given: 3000 and 2048"),
        (400, "Prompt contains 40000 tokens, too large for model with 32768 maximum context length"),
        (413, "Request too large for model `llama` on tokens per minute (TPM): Limit 6000, Requested 7000"),
        (400, "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576)."),
        (400, "litellm.ContextWindowExceededError: AnthropicException"),
        (200, "This endpoint's maximum context length is 8192 tokens"),
        (422, "Input validation error: `inputs` must have less than 4096 tokens. Given: 5000"),
        (200, "invalid params, context window exceeds limit"),
    ],
)
def test_a_conversation_that_is_too_long_is_told_in_every_server_s_words(status: int, message: str) -> None:
    assert _of(status, message) == "too_long"


@pytest.mark.parametrize(
    "error",
    [
        {"code": "data_inspection_failed", "message": "x"},
        {"message": "x", "type": "hooks_failed"},
        {"code": "400", "provider_specific_fields": {"innererror": {"code": "ResponsibleAIPolicyViolation"}}},
        {"code": 400, "metadata": {"reasons": ["harassment"]}},
        {"code": 1301},
        {"message": "litellm.ContentPolicyViolationError: the prompt"},
        {"message": "Content Exists Risk"},
        {"message": "{'error': 'Violated content safety policy', 'lakera_ai_response': {}}"},
        {"message": "Content violates usage guidelines. Failed check: SAFETY_CHECK_TYPE_BIO"},
        {"status_code": 1027, "message": "output new_sensitive"},
    ],
)
@pytest.mark.parametrize("status", [200, 400, 403, 446])
def test_block_is_known_by_codes_at_any_depth_or_by_words(status: int, error: dict[str, Any]) -> None:
    assert _of(status, **error) == "block"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (None, ""),
        ("content_filter", ""),
        ({"error": {"code": "invalid_request_error"}}, "Unsupported parameter: 'temperature'"),
        ({"error": {}}, "your organization was flagged by our abuse detection"),
        ({"message": {"content": {"filter": "content_filter"}}}, ""),
        ({"error": {}}, "x" * 400 + "content policy violation"),
    ],
)
def test_mistake_in_a_request_is_no_block(body: object, message: str) -> None:
    assert troubles.trouble(400, body, message) == "request"


@pytest.mark.parametrize("status", [401, 402, 404, 408, 409, 429, 500, 503])
def test_some_statuses_are_never_a_filter_s(status: int) -> None:
    assert _of(status, "content policy violation", code="content_filter") != "block"


def test_a_firewall_s_page_stops_one_text_and_an_error_of_the_api_the_address() -> None:
    page = "<!DOCTYPE html><html><title>Attention Required!</title>"
    assert troubles.trouble(403, page, page) == "request"
    assert troubles.trouble(404, page, page) == "dead"
    assert _of(403, "no access to this model") == "dead"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"error": {"code": 502}}, 502),
        ({"error": {"code": "429"}}, 429),
        ({"error": {"status": 503}}, 503),
        ({"error": {"code": "content_filter"}}, 200),
        ({"error": "quota"}, 200),
        ({"error": {"code": 9**300}}, 200),
        ([{"error": {"code": 503, "message": "overloaded"}}], 503),
        ({"error": {"error": {"code": 429}}}, 429),
        ({"errors": [{"code": 7009}, {"code": 429}]}, 200),
        ({"code": 500, "msg": "Internal Server Error"}, 500),
        ({"error": True, "code": 503}, 503),
        ({}, 200),
        ([], 200),
    ],
)
def test_an_error_inside_an_answer_may_name_its_status(body: object, status: int) -> None:
    assert troubles.stated_status(body) == status


@pytest.mark.parametrize(
    ("error", "wanted"),
    [
        (ProviderError("x"), "dead"),
        (ProviderError("x", fatal=True), "account"),
        (ProviderError("x", http_status=503), "wait"),
        (ProviderError("HTTP 400: prompt is too long", http_status=400), "too_long"),
        (ProviderError("x", http_status=503, trouble="request"), "request"),
    ],
)
def test_provider_of_another_distribution_need_only_name_a_status(error: ProviderError, wanted: Trouble) -> None:
    assert troubles.of(error) == wanted


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=8)
    | st.sampled_from(["code", "error", "content_filter"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["code", "error", "type", "x"]), inner),
    max_leaves=12,
)


@given(st.integers(100, 999), JSON, st.text(max_size=50))
def test_whatever_a_server_says_it_means_something(status: int, body: Any, message: str) -> None:
    assert troubles.trouble(status, body, message) in get_args(Trouble)
    assert not troubles.filtered(body)
