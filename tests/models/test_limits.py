"""How many calls may be in flight: growth, cuts, rests and quotas, on a clock that the test moves."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jmedethic_pytest.models.limits import COOLDOWN_SECONDS, LONGEST_REST_SECONDS, START, AdaptiveLimit, Quota

OK: dict[str, str] = {}


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Endpoint:
    """An adaptive limit with a way to load it."""

    def __init__(self, ceiling: int = 256) -> None:
        self.clock = Clock()
        self.limit = AdaptiveLimit(ceiling, self.clock)

    async def succeed(self, times: int, *, in_flight: int, headers: dict[str, str] = OK) -> None:
        """See so many good answers while so many calls are held in flight."""
        async with AsyncExitStack() as stack:
            for _ in range(in_flight):
                await stack.enter_async_context(self.limit)
            for _ in range(times):
                self.limit.observe(200, headers)


@pytest.mark.asyncio
async def test_limit_doubles_while_it_is_used_up_to_the_ceiling() -> None:
    endpoint = Endpoint(ceiling=50)
    seen = [endpoint.limit.limit]
    for _ in range(3):
        await endpoint.succeed(seen[-1], in_flight=seen[-1])
        seen.append(endpoint.limit.limit)
    assert seen == [START, 16, 32, 50]


@pytest.mark.asyncio
async def test_limit_that_is_not_used_does_not_grow() -> None:
    endpoint = Endpoint()
    for _ in range(10):
        await endpoint.succeed(100, in_flight=START // 2)
    assert endpoint.limit.limit == START


@pytest.mark.asyncio
async def test_an_episode_of_429_cuts_once_and_growth_is_slow_afterwards() -> None:
    endpoint = Endpoint()
    for size in (START, 16, 32):
        await endpoint.succeed(size, in_flight=size)
    assert endpoint.limit.limit == 64
    for _ in range(20):
        endpoint.limit.observe(429, {})
    assert endpoint.limit.limit == int(64 * 0.7)
    await endpoint.succeed(1000, in_flight=44)
    assert endpoint.limit.limit == 44, "answers within the cool-down do not count"
    endpoint.clock.now += COOLDOWN_SECONDS
    await endpoint.succeed(44, in_flight=44)
    assert endpoint.limit.limit == 46
    assert [change.split(" (")[1] for change in endpoint.limit.changes[-2:]] == ["429 too many requests)", "kept up)"]


@pytest.mark.asyncio
async def test_second_episode_after_the_cool_down_cuts_again_and_never_below_one() -> None:
    endpoint = Endpoint()
    for _ in range(30):
        endpoint.limit.observe(429, {})
        endpoint.clock.now += COOLDOWN_SECONDS + 1
    assert endpoint.limit.limit == 1
    async with endpoint.limit:
        assert endpoint.limit.in_flight == 1


@pytest.mark.parametrize(
    ("header", "rest"),
    [("7", 7.0), ("0", 0.0), ("86400", LONGEST_REST_SECONDS), ("-5", 0.0), ("soon", 0.0), ("inf", 0.0), ("nan", 0.0)],
)
@pytest.mark.asyncio
async def test_retry_after_holds_new_calls_back_but_within_bounds(
    header: str, rest: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint, slept = Endpoint(), []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    endpoint.limit.observe(429, {"retry-after": header})
    monkeypatch.setattr(asyncio, "sleep", sleep)
    async with endpoint.limit:
        pass
    assert slept == ([pytest.approx(rest)] if rest else [])


@pytest.mark.asyncio
async def test_an_episode_of_late_answers_cuts_once_and_is_remembered() -> None:
    endpoint = Endpoint()
    await endpoint.succeed(START, in_flight=START)
    for _ in range(5):
        endpoint.limit.late()
    assert endpoint.limit.limit == int(2 * START * 0.7)
    assert endpoint.limit.cut_for == "no answer in time"
    assert Endpoint().limit.cut_for == ""


@pytest.mark.asyncio
async def test_server_errors_stop_growth_and_cut_nothing() -> None:
    endpoint = Endpoint()
    endpoint.limit.observe(503, {})
    await endpoint.succeed(1000, in_flight=START)
    assert endpoint.limit.limit == START
    endpoint.clock.now += COOLDOWN_SECONDS
    await endpoint.succeed(START, in_flight=START)
    assert endpoint.limit.limit == 2 * START


@pytest.mark.parametrize(
    "headers",
    [
        {"x-ratelimit-remaining-requests": "40", "x-ratelimit-limit-requests": "500"},
        {"x-ratelimit-remaining-tokens": "1", "x-ratelimit-limit-tokens": "90000"},
        {"anthropic-ratelimit-requests-remaining": "3", "anthropic-ratelimit-requests-limit": "50"},
    ],
)
@pytest.mark.asyncio
async def test_nearly_spent_quota_cuts_before_the_first_429(headers: dict[str, str]) -> None:
    endpoint = Endpoint()
    await endpoint.succeed(5, in_flight=START, headers=headers)
    assert endpoint.limit.limit == int(START * 0.7)
    assert "of a quota left" in endpoint.limit.changes[0]


@pytest.mark.parametrize(
    "headers",
    [
        {"x-ratelimit-remaining-requests": "400", "x-ratelimit-limit-requests": "500"},
        {"x-ratelimit-remaining-requests": "1"},
        {"x-ratelimit-remaining-requests": "none", "x-ratelimit-limit-requests": "0"},
    ],
)
@pytest.mark.asyncio
async def test_headers_that_leave_room_or_say_nothing_do_not_slow_down(headers: dict[str, str]) -> None:
    endpoint = Endpoint()
    await endpoint.succeed(START, in_flight=START, headers=headers)
    assert endpoint.limit.limit == 2 * START


@pytest.mark.asyncio
async def test_no_more_calls_than_the_limit_are_in_flight_and_every_one_gets_its_turn() -> None:
    limit, most, done = AdaptiveLimit(4), 0, 0

    async def call() -> None:
        nonlocal most, done
        async with limit:
            most = max(most, limit.in_flight)
            await asyncio.sleep(0)
        done += 1

    await asyncio.gather(*(call() for _ in range(50)))
    assert (most, done, limit.in_flight) == (4, 50, 0)


@pytest.mark.asyncio
async def test_cancelled_waiter_and_failed_call_give_their_slot_back() -> None:
    limit = AdaptiveLimit(1)

    async def fail() -> None:
        async with limit:
            waiting = asyncio.create_task(limit.__aenter__())
            await asyncio.sleep(0)
            waiting.cancel()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()
    assert limit.in_flight == 0
    async with asyncio.timeout(1), limit:
        assert limit.in_flight == 1


@given(st.lists(st.tuples(st.sampled_from([200, 200, 200, 429, 500, 529]), st.floats(0, 60)), max_size=200))
def test_whatever_comes_the_limit_stays_between_one_and_the_ceiling(answers: list[tuple[int, float]]) -> None:
    endpoint = Endpoint(ceiling=40)
    for status, pause in answers:
        endpoint.clock.now += pause
        endpoint.limit.observe(status, {"retry-after": str(pause)})
        assert 1 <= endpoint.limit.limit <= 40
    assert len(endpoint.limit.changes) <= 100


@pytest.mark.asyncio
async def test_stated_quota_of_requests_is_kept_and_no_quota_never_waits() -> None:
    free = Quota(None, None)
    async with asyncio.timeout(5):
        for _ in range(1000):
            await free.wait(10**9)
    bounded = Quota(3, None)
    async with asyncio.timeout(5):
        for _ in range(3):
            await bounded.wait(1)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            await bounded.wait(1)


@pytest.mark.asyncio
async def test_call_larger_than_the_whole_quota_of_tokens_takes_the_whole_minute() -> None:
    quota = Quota(None, 100)
    async with asyncio.timeout(5):
        await quota.wait(10**6)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            await quota.wait(1)
