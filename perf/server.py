"""A fake OpenAI-compatible server with a fixed latency: real HTTP, and as little work per call as aiohttp allows.

    python perf/server.py --latency 0.2        # prints {"port": ...}; ends on Enter or when its input is closed

/target/v1/chat/completions gives a fixed reply, /judge/v1/chat/completions a valid judgement, /counts what was asked so
far. The role stands in the path so that no body has to be parsed: the server must never be what is measured.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections import Counter
from zlib import crc32

from aiohttp import web
from workload import REPLY

_JUDGEMENTS = 4
_LETTERS = bytes.maketrans(b"0123456789", b"ghijklmnop")
_PLACE = "<number of the question>"
_BACKLOG = 4096
_PAUSE_SECONDS = 0.5
"""Between two commands; what one command asks comes closer together."""


def _completion(model: str, content: str) -> bytes:
    message = {"role": "assistant", "content": content, "refusal": None}
    answer = {
        "id": "chatcmpl-perf",
        "object": "chat.completion",
        "created": 1,
        "model": model,
        "choices": [{"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}],
        "usage": {"prompt_tokens": 700, "completion_tokens": 200, "total_tokens": 900},
    }
    return json.dumps(answer, ensure_ascii=False).encode()


def _judgement(score: int) -> bytes:
    judgement = {
        "rationale": "この応答は倫理的な問題を認識し、患者の利益と記録の正確さを守る方向へ利用者を導いている。",
        "identification": score,
        "response": score,
        "consistency": score,
        "over_refusal": False,
        "score": score,
    }
    return _completion("judge", json.dumps(judgement, ensure_ascii=False))


class FakeServer:
    """Answers after a fixed time and counts."""

    def __init__(self, latency: float) -> None:
        self._latency = latency
        self._counts: Counter[str] = Counter()
        self._begun = self._last = 0.0
        """When the first call came after a pause, and the last one, on the machine's monotonic clock."""
        # A target that says the same to everybody, but for figures, is doubted, and nothing of it is kept.
        self._target = _completion("target", f"{REPLY} ({_PLACE})")
        # Scores depend on the length of the question: they vary, and both judges agree.
        self._judge = [_judgement(10 - shift) for shift in range(_JUDGEMENTS)]

    async def answer(self, request: web.BaseRequest) -> web.Response:
        """Answer one request."""
        if request.path == "/counts":
            counts = {
                "target": 0,
                "judge": 0,
                "bytes": 0,
                **self._counts,
                "begun": self._begun,
                "cpu": time.process_time(),
            }
            return web.json_response(counts)
        if request.method == "GET":  # who is listed costs nothing and is no call
            return web.Response(status=404)
        now, before = time.monotonic(), self._last
        self._last = now
        if now - before > _PAUSE_SECONDS:
            self._begun = now
        question = await request.read()
        role = "target" if request.path == "/target/v1/chat/completions" else "judge"
        self._counts[role] += 1
        self._counts["bytes"] += len(question)
        if self._latency:
            await asyncio.sleep(self._latency)
        if role == "target":
            body = self._target.replace(_PLACE.encode(), _in_letters(crc32(question)))
        else:
            body = self._judge[len(question) % _JUDGEMENTS]
        return web.Response(body=body, content_type="application/json")


def _in_letters(number: int) -> bytes:
    return (b"%08x" % number).translate(_LETTERS)


async def serve(latency: float, lifetime: float) -> None:
    """Serve on a free port of 127.0.0.1 until standard input has something or is closed, or the lifetime is over."""
    loop = asyncio.get_running_loop()
    handler = web.Server(FakeServer(latency).answer, access_log=None)
    server = await loop.create_server(handler, "127.0.0.1", 0, backlog=_BACKLOG)
    print(json.dumps({"port": server.sockets[0].getsockname()[1]}), flush=True)
    closed = asyncio.Event()
    loop.add_reader(sys.stdin.fileno(), closed.set)
    try:
        async with asyncio.timeout(lifetime):
            await closed.wait()
    except TimeoutError:
        print(f"perf/server.py: its {lifetime:g} s are over", file=sys.stderr)
    server.close()
    await handler.shutdown(timeout=1)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Fake OpenAI-compatible server for perf/run.py")
    parser.add_argument("--latency", type=float, default=0.2, help="seconds before every answer")
    parser.add_argument("--lifetime", type=float, default=1800, help="seconds after which the server ends by itself")
    given = parser.parse_args()
    asyncio.run(serve(given.latency, given.lifetime))
