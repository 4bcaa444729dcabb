# mypy: ignore-errors
"""The same conversations through inspect_ai: three turns with the target, every reply scored by two judges meanwhile.

    python perf/inspect_task.py URL CONVERSATIONS IN_FLIGHT LOG_DIR

Runs in whatever environment has inspect_ai; it needs nothing of this project but the bodies of the calls.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import inspect_ai
from inspect_ai.dataset import Sample
from inspect_ai.model import ChatMessageAssistant, ChatMessageSystem, ChatMessageUser, GenerateConfig, get_model
from inspect_ai.solver import solver

_MESSAGE = {"system": ChatMessageSystem, "user": ChatMessageUser, "assistant": ChatMessageAssistant}


def _messages(body: dict) -> list:
    return [_MESSAGE[message["role"]](content=message["content"]) for message in body["messages"]]


def _config(body: dict, in_flight: int) -> GenerateConfig:
    return GenerateConfig(
        max_tokens=body["max_tokens"], temperature=body["temperature"], max_connections=in_flight, max_retries=6
    )


@solver
def conversation(url: str, turns: list[dict], in_flight: int):
    """Hold one conversation; all bodies are known, since the fake target always answers the same."""
    first = turns[0]
    models = {
        body["model"]: get_model(
            f"openai-api/perf/{body['model']}",
            base_url=f"{url}/{role}/v1",
            api_key="none",
            config=_config(body, in_flight),
        )
        for role, body in (("target", first["target"]), *(("judge", body) for body in first["judges"]))
    }

    async def solve(state, generate):  # noqa: ARG001 - inspect_ai's signature
        held = json.loads(state.metadata["turns"])
        judging = []
        for turn in held:
            state.output = await models["target"].generate(_messages(turn["target"]))
            judging += [asyncio.create_task(models[body["model"]].generate(_messages(body))) for body in turn["judges"]]
        for answer in await asyncio.gather(*judging):
            json.loads(answer.completion)["score"]
        return state

    return solve


def main(url: str, conversations: str, in_flight: int, log_dir: str) -> int:
    """Evaluate every conversation of the file."""
    lines = Path(conversations).read_text(encoding="utf-8").splitlines()
    samples = [
        Sample(id=number, input=json.loads(line)[0]["target"]["messages"][-1]["content"], metadata={"turns": line})
        for number, line in enumerate(lines)
    ]
    task = inspect_ai.Task(dataset=samples, solver=conversation(url, json.loads(lines[0]), in_flight))
    logs = inspect_ai.eval(
        task,
        model="none/none",
        max_samples=in_flight,
        max_tasks=1,
        log_dir=log_dir,
        display="none",
        fail_on_error=True,
    )
    return 0 if logs[0].status == "success" else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]))
