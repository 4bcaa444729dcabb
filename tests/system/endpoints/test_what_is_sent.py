"""A run whose servers refuse something in plain words, and count their prompt caches: what is sent, said and stored."""

from __future__ import annotations

from typing import Any


def test_refusals_in_plain_words_are_learned_named_and_stored_and_prompt_caches_priced(
    server: Any, project: Any
) -> None:
    """The target is a reasoning model under a name of the user's own; a judge's chat template has no system role."""

    def script(seen: Any) -> Any:
        if seen.model == "m":
            if "temperature" in seen.body:
                return server.error(400, "Unsupported parameter: 'temperature' is not supported with this model.")
            return "a careful reply"
        if seen.model == "j1" and seen.messages[0]["role"] == "system":
            return server.error(400, "System role not supported")
        usage = {"prompt_tokens": 1000, "completion_tokens": 10, "prompt_tokens_details": {"cached_tokens": 800}}
        return server.openai(server.score(9), usage=usage)

    server.script = script
    made = project(3)
    prices = '[prices."compatible:j2"]\ninput = 1.0\ncached = 0.1\noutput = 2.0\n'
    made.write("thresholds.toml", f"{(made.path / 'thresholds.toml').read_text()}\n{prices}")
    done = made.pytest("-p", "no:xdist")
    assert {verdict["status"] for verdict in done.verdicts} == {"scored"}, done.output
    info = done.read("run.json")
    assert info["learned"] == {
        "target compatible:m": ["temperature is not sent: the server refuses it"],
        "judge compatible:j1": [
            "the system prompt is sent before the first message: the server takes no message of the role 'system'"
        ],
    }
    assert done.output.count("temperature is not sent: the server refuses it") == 1
    sent = [turn["reply"]["sent"] for verdict in done.verdicts for turn in verdict["turns"]]
    assert sent == [{"max_tokens": 2048}] * 6
    judged = [seen.messages for seen in server.of("j1")[-6:]]
    assert all([message["role"] for message in messages] == ["user"] for messages in judged)
    tokens = info["tokens"]["judge compatible:j2"]
    assert (tokens["input"], tokens["prompt_cached"], tokens["prompt_written"]) == (6000, 4800, 0)
    assert abs(info["cost_usd"]["judge compatible:j2"] - (1200 * 1.0 + 4800 * 0.1 + 60 * 2.0) / 1e6) < 1e-12
    assert "6000 + 60 tokens (4800 from the prompt cache)" in done.output
