"""Trouble of an endpoint, on a clock that costs no time: it is waited for, and given up when nobody is answered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from jmedethic_pytest.core.errors import ProviderError, RunAborted
from jmedethic_pytest.models.budget import Budget, parse
from jmedethic_pytest.models.endpoint import (
    ALONE_SECONDS,
    ATTEMPTS,
    ATTEMPTS_LATE,
    ATTEMPTS_UNREADABLE,
    FIRST_PATIENCE,
    MAX_LOST_IN_A_ROW,
)

pytestmark = pytest.mark.asyncio

REFUSED: Callable[[], ProviderError] = lambda: ProviderError("no connection: ConnectError", trouble="wait")  # noqa: E731
DROPPED: Callable[[], ProviderError] = lambda: ProviderError("no connection: ReadError", trouble="retry")  # noqa: E731
LATE: Callable[[], ProviderError] = lambda: ProviderError("no answer within 9 s", trouble="retry", late=True)  # noqa: E731


def status(code: int, **more: Any) -> Callable[[], ProviderError]:
    return lambda: ProviderError(f"HTTP {code}", http_status=code, **more)


@pytest.mark.parametrize("at_once", [1, 32])
@pytest.mark.parametrize("error", [REFUSED, status(503)], ids=["refused", "503"])
async def test_ninety_seconds_without_a_server_cost_little_more_and_nothing_else(
    virtual: Any, error: Any, at_once: int
) -> None:
    endpoint = virtual()
    count = 20 * at_once
    endpoint.script = endpoint.down(5.0, 95.0, error)
    found = await endpoint.all(count, at_once)
    assert {reply.text for reply in found} == {"ok"}
    undisturbed = virtual()
    await undisturbed.all(count, at_once)
    assert 85 <= endpoint.time.now - undisturbed.time.now <= 150
    assert sum(endpoint.tried.values()) <= count + at_once + 20, "one call at a time tries a paused endpoint"
    assert endpoint.client.tally.calls == sum(endpoint.tried.values())
    if at_once > 1:
        assert [note.partition(": ")[2].split()[0] for note in endpoint.client.endpoint.notes] == ["paused", "goes"]


@pytest.mark.parametrize("at_once", [1, 2, 32])
@pytest.mark.parametrize("error", [status(500), DROPPED], ids=["500", "dropped"])
async def test_errors_that_may_be_one_request_s_are_an_outage_if_everybody_meets_them(
    virtual: Any, error: Any, at_once: int
) -> None:
    endpoint = virtual()
    endpoint.script = endpoint.down(5.0, 95.0, error)
    assert {reply.text for reply in await endpoint.all(20 * at_once, at_once)} == {"ok"}


async def test_an_endpoint_that_does_not_come_back_is_given_up_when_patience_is_over(virtual: Any) -> None:
    endpoint = virtual()
    endpoint.script = endpoint.down(5.0, 1e9, status(503))
    found = await endpoint.all(300, patience=60.0)
    aborted = {str(error) for error in found if isinstance(error, RunAborted)}
    (text,) = aborted
    assert "the model under test cannot be used: HTTP 503 (no answer for" in text
    assert "patience = 60" in text
    assert "same command resumes" in text
    assert 60 <= endpoint.time.now - 5 <= 60 + 2 * 15
    assert [error for error in found if isinstance(error, ProviderError)] == []


@pytest.mark.parametrize("at_once", [1, 8])
async def test_an_endpoint_that_is_there_but_never_answered_is_given_up_sooner(virtual: Any, at_once: int) -> None:
    endpoint = virtual()
    endpoint.script = endpoint.down(0.0, 1e9, status(503))
    found = await endpoint.all(8, at_once)
    assert isinstance(found[-1], RunAborted)
    assert FIRST_PATIENCE <= endpoint.time.now <= 3 * FIRST_PATIENCE


async def test_an_address_where_nobody_listens_is_known_after_two_attempts(virtual: Any) -> None:
    endpoint = virtual()
    endpoint.script = endpoint.down(0.0, 1e9, REFUSED)
    found = await endpoint.all(1)
    assert isinstance(found[0], RunAborted)
    assert endpoint.time.now < 2
    assert sum(endpoint.tried.values()) == 2


@pytest.mark.parametrize(
    ("error", "attempts"),
    [
        (status(500), ATTEMPTS),
        (DROPPED, ATTEMPTS),
        (LATE, ATTEMPTS_LATE),
        (status(200, trouble="retry"), ATTEMPTS_UNREADABLE),
        (status(400), 1),
        (status(403), 1),
        (status(413), 1),
    ],
)
@pytest.mark.parametrize("last", [False, True], ids=["in the middle", "last"])
async def test_a_request_that_always_fails_is_lost_alone(virtual: Any, error: Any, attempts: int, last: bool) -> None:
    endpoint = virtual()
    bad = "call 99" if last else "call 20"
    endpoint.script = lambda text, attempt: error() if text == bad else "ok"
    found = await endpoint.all(100, 4)
    lost = [item for item in found if not hasattr(item, "text")]
    assert lost == [found[int(bad.split()[1])]]
    assert type(lost[0]) is ProviderError
    if last and attempts == ATTEMPTS:  # nobody else is answered who would show that it is this one's trouble
        assert endpoint.tried[bad] > attempts
        assert ALONE_SECONDS <= endpoint.time.now <= 1.5 * ALONE_SECONDS
    else:
        assert endpoint.tried[bad] == attempts


async def test_every_call_that_fails_once_is_answered(virtual: Any) -> None:
    endpoint, errors = virtual(), [status(429), status(500), REFUSED, DROPPED, status(200, trouble="retry"), LATE]

    def script(text: str, attempt: int) -> Any:
        number = int(text.split()[1])
        return errors[number % len(errors)]() if attempt == 1 and number % 5 == 4 else "ok"

    endpoint.script = script
    found = await endpoint.all(600)
    assert {getattr(item, "text", item) for item in found} == {"ok"}
    assert endpoint.client.tally.failed == 120


async def test_six_calls_a_minute_are_waited_for(virtual: Any) -> None:
    endpoint, used = virtual(), dict[int, int]()

    def script(text: str, attempt: int) -> Any:
        minute = int(endpoint.time.now // 60)
        used[minute] = used.get(minute, 0) + 1
        return status(429)() if used[minute] > 6 else "ok"

    endpoint.script = script
    found = await endpoint.all(40, 12)
    assert {getattr(item, "text", item) for item in found} == {"ok"}


async def test_slow_is_not_dead(virtual: Any) -> None:
    """A server with two slots is asked more at a time than it can answer in time."""
    endpoint = virtual(ceiling=32)

    async def answer() -> Any:
        if endpoint.in_flight > 2:
            await endpoint.time.sleep(9.0)
            return LATE()
        await endpoint.time.sleep(2.0)
        return "ok"

    endpoint.script = lambda text, attempt: answer()
    found = await endpoint.all(60, 16)
    answered = [item for item in found if hasattr(item, "text")]
    assert len(answered) >= 50, found
    assert not any(isinstance(item, RunAborted) for item in found)
    assert endpoint.client.limit.cut_for == "no answer in time"


async def test_an_endpoint_whose_answers_never_come_in_time_names_what_helps(virtual: Any) -> None:
    endpoint = virtual()

    async def never() -> Any:
        await endpoint.time.sleep(300.0)
        return LATE()

    endpoint.script = lambda text, attempt: never() if endpoint.time.now > 5 else "ok"
    found = await endpoint.all(200)
    (text,) = {str(item) for item in found if isinstance(item, RunAborted)}
    assert "--jmed-concurrency" in text
    assert "[target] timeout" in text


@pytest.mark.parametrize(
    ("code", "advice"),
    [(429, "--jmed-concurrency), or state"), (503, "its log"), (404, "check address, key and model")],
)
async def test_whoever_gives_up_advises_what_helps_against_the_last_answer(
    virtual: Any, code: int, advice: str
) -> None:
    endpoint = virtual()
    endpoint.script = endpoint.down(5.0, 1e9, status(code))
    found = await endpoint.all(400, 16)
    assert advice in str(found[-1])


@pytest.mark.parametrize("code", [401, 402])
async def test_a_refused_key_or_account_ends_everything_at_once(virtual: Any, code: int) -> None:
    endpoint = virtual()
    endpoint.script = endpoint.down(5.0, 1e9, status(code))
    found = await endpoint.all(400, 16)
    assert isinstance(found[-1], RunAborted)
    refused = [began for began in endpoint.began if began >= 5]
    assert len(refused) <= 16


async def test_a_model_that_disappears_ends_the_run_after_ten_calls_in_a_row(virtual: Any) -> None:
    endpoint = virtual()
    endpoint.script = endpoint.down(5.0, 1e9, status(404))
    found = await endpoint.all(400, 4)
    lost = [item for item in found if isinstance(item, ProviderError)]
    assert MAX_LOST_IN_A_ROW - 1 <= len(lost) < MAX_LOST_IN_A_ROW + 4
    assert "calls failed one after the other" in str(found[-1])


async def test_a_pause_longer_than_patience_is_not_waited_for(virtual: Any) -> None:
    endpoint = virtual()
    endpoint.script = endpoint.down(5.0, 1e9, status(429, pause=86_400.0))
    found = await endpoint.all(400, 4)
    assert "it asks for a pause of 86,400 s" in str(found[-1])
    assert endpoint.time.now < 60


async def test_a_pause_that_is_asked_for_is_kept(virtual: Any) -> None:
    endpoint = virtual()
    endpoint.script = endpoint.down(5.0, 6.0, status(503, pause=90.0))
    found = await endpoint.all(40, 1)
    assert {item.text for item in found} == {"ok"}
    gaps = [later - earlier for earlier, later in zip(endpoint.began, endpoint.began[1:], strict=False)]
    assert max(gaps) == pytest.approx(90, abs=2)


@pytest.mark.parametrize("code", [429, 503])
async def test_a_server_that_says_at_once_again_and_again_is_not_called_without_end(virtual: Any, code: int) -> None:
    endpoint = virtual()
    endpoint.seconds = 0.1
    endpoint.script = endpoint.down(0.5, 300.5, status(code, pause=0.0))
    assert {item.text for item in await endpoint.all(200, 16)} == {"ok"}
    assert 0 < sum(0.5 <= began < 300.5 for began in endpoint.began) < 600
    assert endpoint.time.now < 360


async def test_all_come_back_together_when_a_busy_server_says_when(virtual: Any) -> None:
    """A burst of refusals costs one pause, not one for every call."""
    endpoint = virtual()
    endpoint.script = endpoint.down(5.0, 30.0, status(429, pause=30.0))
    assert {item.text for item in await endpoint.all(200)} == {"ok"}
    assert endpoint.time.now < 80


async def test_budget_counts_every_attempt(virtual: Any) -> None:
    budget = Budget(parse("100calls", "here"), lambda label: None)
    endpoint = virtual(budget=budget)
    endpoint.script = lambda text, attempt: status(500)() if attempt == 1 and int(text.split()[1]) else "ok"
    found = await endpoint.all(200)
    assert sum(endpoint.tried.values()) == endpoint.client.tally.calls == 100
    assert "budget" in str(found[-1])


async def test_a_refused_request_shows_that_an_endpoint_is_back(virtual: Any) -> None:
    endpoint = virtual()
    down = endpoint.down(5.0, 35.0, status(503))
    endpoint.script = lambda text, attempt: status(400)() if endpoint.time.now >= 35 else down(text, attempt)
    await endpoint.all(200)
    assert endpoint.client.endpoint.trouble is None
    assert "goes on" in endpoint.client.endpoint.notes[-1]


async def test_trouble_is_shown_while_it_lasts(virtual: Any) -> None:
    endpoint, shown = virtual(), []

    def script(text: str, attempt: int) -> Any:
        shown.append(endpoint.client.endpoint.trouble)
        return endpoint.down(5.0, 65.0, status(503))(text, attempt)

    endpoint.script = script
    await endpoint.all(300)
    assert shown[0] is shown[-1] is None
    assert any(text and "(HTTP 503), trying again" in text for text in shown)
