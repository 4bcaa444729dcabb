"""Making foreign text harmless, keeping keys out, putting digests in the place of texts."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jmedethic_pytest.core import secrets as secrecy
from jmedethic_pytest.core import text as plain_text
from jmedethic_pytest.core.records import Case, Reply, Score, Turn, Verdict
from jmedethic_pytest.core.status import OF_TARGET
from jmedethic_pytest.run.redaction import digest, redact

TEXT = "A reply that a server may quote in part, 全角の文章も含めて。"


@given(st.text())
def test_visible_text_hides_nothing_and_moves_nothing(text: str) -> None:
    shown = plain_text.visible(text)
    assert not set(shown) & set("\x00\x1b\r\x08\x7f\x9b\u202e\u2066\u200f\u061c\u2028\ufeff")
    assert plain_text.visible(shown) == shown
    assert len(shown) >= len(text) - text.count("\r\n")


def test_ordinary_text_stays_as_it_is() -> None:
    for text in ("全角の文章、改行\nとタブ\tも。", "👩‍⚕️ emoji", "naïve café"):
        assert plain_text.visible(text) == text


@pytest.mark.parametrize("size", [0, 10, 300, 301, 1200, 1_000_000])
def test_one_line_says_how_much_is_left_out(size: int) -> None:
    line = plain_text.one_line("x" * size, 300)
    assert "\n" not in line
    assert line == ("x" * size if size <= 300 else f"{'x' * 300}... ({size:,} characters)")


@pytest.mark.parametrize("form", [str, json.dumps, repr, lambda text: json.dumps(text, ensure_ascii=False)])
def test_quotations_are_taken_out_of_errors(form) -> None:
    error = f"400: value {form(TEXT)} is not allowed here, says the server"
    assert plain_text.without_quotations(error, ["other", TEXT]) != error
    cut = plain_text.without_quotations(error[:60], [TEXT])
    for shown in (plain_text.without_quotations(error, [TEXT]), cut):
        assert not any(TEXT[at : at + 16] in shown for at in range(len(TEXT) - 15))
    assert cut.startswith("400: value ")


def test_messages_without_quotations_are_unchanged() -> None:
    message = "HTTP 400: maximum context length is 4096 tokens"
    assert plain_text.without_quotations(message, [TEXT, "", "x"]) == message


@given(st.text(alphabet="abc ", max_size=80), st.text(alphabet="abc ", max_size=80))
def test_no_sixteen_characters_of_a_source_stay_and_nothing_else_goes(text: str, source: str) -> None:
    shown = plain_text.without_quotations(text, [source])
    quoted = [at for at in range(len(text) - 15) if text[at : at + 16] in source]
    assert (shown == text) is not bool(quoted)
    for piece in shown.split(plain_text.QUOTED):
        assert not any(piece[at : at + 16] in source for at in range(len(piece) - 15))


class _Pool(str):
    """A text that counts how often it is searched."""

    searched = 0

    def __contains__(self, piece: object) -> bool:
        _Pool.searched += 1
        return super().__contains__(piece)  # type: ignore[arg-type]


def test_a_message_that_quotes_nothing_costs_a_reading_of_the_sources_for_every_eight_characters() -> None:
    text = "".join(chr(0x4E00 + number) for number in range(600))
    assert plain_text._quoted(text, _Pool("あ" * 1000)) == []
    assert _Pool.searched == 600 // 8


def test_nothing_is_shown_beside_sources_too_long_to_be_searched() -> None:
    assert plain_text.without_quotations("HTTP 400", ["あ" * 5_000_000]) == plain_text.QUOTED


def test_half_a_character_becomes_a_sign_in_texts_and_names() -> None:
    assert plain_text.visible("OK \ud83d!") == f"OK {plain_text.SIGN}!"
    whole = plain_text.whole({"a\ud83d": ["\udfff", {"b": "x\ud800y"}, 1, None], "\U0001f600": "\U0001f600"})
    json.dumps(whole, ensure_ascii=False).encode()
    assert whole["\U0001f600"] == "\U0001f600"
    assert next(iter(whole.values()))[1]["b"] == "x?y"


def test_shape_shows_keys_and_types_only() -> None:
    answer = {"choices": [{"message": {"content": {"odd": "secret text"}}}], "n": 3, "none": None, "rest": []}
    shown = plain_text.shape(answer)
    assert shown.startswith("{choices: [{message: {content: {odd: text of 11 characters}}}]")
    assert "secret" not in shown
    assert "n: int, none: null, rest: []" in shown


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://h:80/v1", "http://h:80/v1"),
        ("http://user:pa%40ss@h/v1", "http://h/v1"),
        ("https://token@h/v1?key=abc&api-version=2", "https://h/v1?key=...&api-version=..."),
        ("http://h/v1?abcdef", "http://h/v1?..."),
        ("simulation:4", "simulation:4"),
    ],
)
def test_public_url_keeps_the_place_only(url: str, shown: str) -> None:
    assert secrecy.public_url(url) == shown


def test_secrets_of_an_address_are_known_in_every_form() -> None:
    found = set(secrecy.in_url("http://user:pa%40ssword@h/v1?token=q%2Fuery"))
    basic = base64.b64encode(b"user:pa@ssword").decode()
    assert {"pa%40ssword", "pa@ssword", "q%2Fuery", "q/uery", basic} <= found
    assert "user" not in found
    assert set(secrecy.in_url("http://a-token@h/")) >= {"a-token"}
    assert not list(secrecy.in_url("http://h/v1?api-version=2024-10-21&deployment=gpt-4o-mini"))
    assert set(secrecy.in_url("http://h/v1?abcdef123456")) == {"abcdef123456"}
    assert list(secrecy.in_url("http://[broken/")) == []


def test_secrets_in_parameters_go_by_name_or_shape() -> None:
    extra = {
        "metadata": {"Api-Key": "named-one"},
        "headers": [{"x": "Bearer abcdefgh"}],
        "user": "sk-abcdefghijklmnop1234",
        "chat_template_kwargs": {"enable_thinking": False, "style": "plain words"},
        "auth": ["first", {"x": "second"}],
    }
    found = set(secrecy.in_parameters(extra))
    assert found == {"named-one", "Bearer abcdefgh", "sk-abcdefghijklmnop1234", "first", "second"}


def test_hiding_prefers_the_longest_secret_and_spares_short_words() -> None:
    secrets = secrecy.Secrets(["planted1", "planted1-longer", "no", "", None])
    assert secrets.hide("planted1-longer planted1 no") == f"{secrecy.HIDDEN} {secrecy.HIDDEN} no"
    record = Reply(text="has planted1 inside", sent={"planted1": ["planted1", 1, None]})
    hidden = secrets.hide_in_record(record)
    assert "planted1" not in hidden.model_dump_json()
    assert hidden.sent == {secrecy.HIDDEN: [secrecy.HIDDEN, 1, None]}
    assert secrecy.Secrets([]).hide_in_record(record) is record


@pytest.mark.parametrize("key", ["ollama", "none", "not-needed", "EMPTY", "llama.cpp", "dummy_key"])
def test_a_word_in_the_place_of_a_key_hides_nothing(key: str) -> None:
    """Servers that want no key are given one all the same; their own name is a custom."""
    assert secrecy.Secrets([key]).hide(f"{key}:my-model says {key}") == f"{key}:my-model says {key}"


def _verdict(**changes) -> Verdict:
    case = Case(id="en-a", locale="en", guideline="JMA-01", strategy="S1", turns=("The question?",))
    score = Score(judge="j:a", value=1.0, rationale=TEXT, model="judge-1")
    reply = Reply(text=TEXT, reasoning=TEXT, model="m-1", finish="stop")
    turn = Turn(index=0, user="The question?", reply=reply, scores=(score, score), value=1.0)
    return Verdict(case=case, status="scored", turns=(turn,), planned_turns=1, **changes)


def test_redaction_reaches_attempts_and_keeps_questions_scores_and_names() -> None:
    verdict = redact(_verdict(attempts=(_verdict(),)))
    data = verdict.model_dump_json()
    assert TEXT not in data
    assert data.count(digest(TEXT)) == 2 * 4
    assert verdict.turns[0].user == "The question?"
    assert verdict.turns[0].value == 1.0
    assert verdict.turns[0].reply.finish == "stop"
    assert verdict.turns[0].scores[0].model == "judge-1"


@pytest.mark.parametrize(
    ("detail", "kept"),
    [
        (f"openai:m at http://h/v1: HTTP 400: your input {TEXT}", "openai:m at http://h/v1: HTTP 400: [redacted"),
        ("openai:m: no answer within 300 s", "no answer within 300 s"),
        (TEXT, "[redacted: sha256"),
    ],
)
@pytest.mark.parametrize("status", ["error", "blocked", "too_long"])
def test_redaction_keeps_of_a_failed_call_only_what_we_say_ourselves(status: Any, detail: str, kept: str) -> None:
    turn = Turn(index=0, user="q", reply=Reply(text="", status=status, detail=detail))
    case, whose = _verdict().case, OF_TARGET[status]
    verdict = Verdict(case=case, status=whose, detail=f"T0: {detail}", turns=(turn,), planned_turns=1)
    shown = redact(verdict)
    for text in (shown.detail, shown.turns[0].reply.detail):
        assert kept in text
        assert TEXT not in text


def test_a_text_in_the_place_of_a_name_is_redacted_too() -> None:
    turn = Turn(index=0, user="q", reply=Reply(text="x", finish=TEXT, model=TEXT), scores=(), value=None)
    verdict = redact(_verdict().model_copy(update={"turns": (turn,)}))
    assert TEXT not in verdict.model_dump_json()


def test_digests_tell_equal_texts_and_their_length() -> None:
    assert digest("a") == digest("a") != digest("b")
    assert digest("") == ""
    assert digest(TEXT).endswith(f", {len(TEXT)} characters]")


def test_whatever_stands_where_a_secret_stands_is_one() -> None:
    """A password that is a word, a short signature, a token in the path: none looks like a key."""
    url = (
        "http://svcuser77:swordfish@h/9f8e7d6c5b4a3f2e/v1?sig=sg-98zy&code=cd1&token=opensesame&api-version=2024-10-21"
    )
    found = set(secrecy.in_url(url))
    assert {"swordfish", "svcuser77", "9f8e7d6c5b4a3f2e", "sg-98zy", "cd1", "opensesame"} <= found
    assert not {"h", "v1", "2024-10-21"} & found
    assert secrecy.public_url(url) == "http://h/.../v1?sig=...&code=...&token=...&api-version=..."
    for path in ("openai/deployments/gpt-4o-mini-2024-07-18", "models/Qwen2.5-7B-Instruct-Q4_K_M-v2", "v1beta/openai"):
        assert not [value for value in secrecy.in_url(f"http://h/{path}") if value]


def test_secrets_of_settings_are_found_in_every_text() -> None:
    found = set(
        secrecy.in_settings(
            {
                "target": {"system": "Use the key sk-sysPromptKEY1234567890. The password is hunter2!"},
                "judges": {"extra": {"meta": {"auth_token": "word"}}, "profiles": {"a": ["c:x@http://u:pass-1@h/v1"]}},
                "limits": {"c:x@http://u:pass-2@h/v1": {"requests_per_minute": 5}},
                "providers": {"gw": {"headers": {"X-Team": "blue", "Accept": "text/plain"}, "api_key_env": "GW_KEY"}},
            }
        )
    )
    assert {"sk-sysPromptKEY1234567890", "hunter2!", "word", "pass-1", "pass-2", "blue"} <= found
    assert not {"GW_KEY", "text/plain"} & found


@pytest.mark.parametrize("piece", ["a", "a.", "http", "://", "sk-", "token ", "key=", "/a1"])
def test_search_for_secrets_takes_time_in_proportion(piece: str) -> None:
    """Of a text of a megabyte; a search that begins anew at each sign would take hours."""
    assert len(set(secrecy.in_text(piece * (1_000_000 // len(piece))))) < 5


def test_proxies_of_the_environment_hold_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://u:proxypass@p:3128")
    monkeypatch.setenv("all_proxy", "u:other-1@p:3128")
    assert {"proxypass", "other-1"} <= set(secrecy.in_environment())


def test_certain_secret_is_hidden_where_it_stands_as_a_word_and_no_field_is_lost() -> None:
    secrets = secrecy.Secrets([], certain=["text", "ok", "pw1", "swordfish", ""])
    assert secrets.hide("swordfishes eat swordfish, pw1$ and 'text'") == "swordfishes eat [key], [key]$ and '[key]'"
    record = Reply(text="a text", status="ok", finish="stop", sent={"user": "swordfish"})
    hidden = secrets.hide_in_record(record)
    assert (hidden.text, hidden.status, hidden.sent) == ("a [key]", "ok", {"user": "[key]"})
    case = Case(id="en-a", locale="en", guideline="JMA-01", strategy="S1", turns=("planted1",), persona="nurse")
    assert secrecy.Secrets(["planted1"], certain=["nurse"]).hide_in_record(case).turns == ("[key]",)


def test_secret_is_hidden_as_json_and_addresses_write_it() -> None:
    key = 'k3y/+="\\-1234567'
    secrets = secrecy.Secrets([key])
    for form in (key, json.dumps({"h": key}), "k3y%2F%2B%3D%22%5C-1234567"):
        assert "1234567" not in secrets.hide(form)
