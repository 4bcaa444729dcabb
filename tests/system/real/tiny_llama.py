"""A real llama.cpp server with a tiny random model; run as a program by the fixtures beside it.

    python tiny_llama.py '{"folder": "model", "texts": ["a.jsonl"], "grammar": null, "context": 8192}'

It writes the model, serves it on a free port, prints one line of JSON with the address, and ends when its standard
input is closed: it cannot outlive the test process that started it, not even one that is killed.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

SLOTS = 8
"""Requests that are decoded together; the rest waits in the server's queue."""
WIDTH = 16
"""One layer, one head, 16 numbers for a token: what the model says is noise anyway."""
MODEL_CONTEXT = 32_768
CHARACTERS = 700
WORDS = ("rationale", "identification", "response", "consistency", "over", "refusal", "score", "true", "false")
TEMPLATE = (
    "{% for m in messages %}{{ '<|' + m['role'] + '|>\n' + m['content'] + '\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>\n' }}{% endif %}"
)


def byte_alphabet() -> dict[int, str]:
    """Return GPT-2's printable stand-in for each byte."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = (byte for byte in range(256) if byte not in plain)
    return {byte: chr(byte) for byte in plain} | {byte: chr(256 + n) for n, byte in enumerate(others)}


def vocabulary(texts: Iterable[str]) -> tuple[list[str], list[str]]:
    """Return (tokens, merges) of a byte-level BPE in which frequent characters and the words of a judgement are tokens.

    With bytes alone a Japanese prompt is three times as long, and a judgement a hundred tokens. A larger vocabulary
    makes grammars slow: every step tries every token. A byte-level vocabulary ("gpt2") it must be: with a
    SentencePiece one the server cannot enforce JSON schemas.
    """
    alphabet = byte_alphabet()
    tokens = [alphabet[byte] for byte in range(256)]
    known, merges = set(tokens), []
    frequent = sorted(character for character, _ in Counter("".join(texts)).most_common(CHARACTERS))
    for text in [*frequent, *WORDS]:
        word = "".join(alphabet[byte] for byte in text.encode())
        for end in range(2, len(word) + 1):
            if word[:end] not in known:
                known.add(word[:end])
                tokens.append(word[:end])
                merges.append(f"{word[: end - 1]} {word[end - 1]}")
    return tokens, merges


def some_text() -> str:
    """Return text whose characters a model may have as tokens."""
    root = Path(__file__).resolve().parents[3]
    return (root / "benchmark_cases" / "REVIEW.md").read_text(encoding="utf-8")


def write_adapter(path: Path, tokens: int, seed: int, rank: int = 2) -> None:
    """Write a random LoRA adapter for the output of a model with so many tokens, strong enough to change every word."""
    import gguf
    import numpy as np

    writer = gguf.GGUFWriter(path, "llama")
    writer.add_type(gguf.GGUFType.ADAPTER)
    writer.add_string(gguf.Keys.Adapter.TYPE, "lora")
    writer.add_float32(gguf.Keys.Adapter.LORA_ALPHA, float(rank))
    random = np.random.default_rng(seed)
    for half, shape in (("a", (rank, WIDTH)), ("b", (tokens, rank))):
        writer.add_tensor(f"output.weight.lora_{half}", random.standard_normal(shape).astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def write_model(path: Path, texts: Iterable[str]) -> int:
    """Write a random one-layer Llama as GGUF, and return how many tokens it knows."""
    import gguf
    import numpy as np

    tokens, merges = vocabulary(texts)
    control = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    size = len(tokens) + len(control)
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name("random")
    writer.add_context_length(MODEL_CONTEXT)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(1)
    writer.add_feed_forward_length(WIDTH)
    writer.add_head_count(1)
    writer.add_head_count_kv(1)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(WIDTH)
    writer.add_vocab_size(size)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list([*tokens, *control])
    writer.add_token_types([gguf.TokenType.NORMAL] * len(tokens) + [gguf.TokenType.CONTROL] * len(control))
    writer.add_token_merges(merges)
    writer.add_bos_token_id(len(tokens))
    writer.add_eos_token_id(len(tokens) + 2)
    writer.add_chat_template(TEMPLATE)

    random = np.random.default_rng(0)
    shapes = {
        "token_embd": (size, WIDTH),
        "output": (size, WIDTH),
        **{f"blk.0.attn_{name}": (WIDTH, WIDTH) for name in ("q", "k", "v", "output")},
        **{f"blk.0.ffn_{name}": (WIDTH, WIDTH) for name in ("gate", "up", "down")},
    }
    for name, shape in shapes.items():
        writer.add_tensor(f"{name}.weight", (random.standard_normal(shape) * 0.05).astype(np.float32))
    for name in ("output_norm", "blk.0.attn_norm", "blk.0.ffn_norm"):
        writer.add_tensor(f"{name}.weight", np.ones(WIDTH, np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return size


def serve(model: Path, *, grammar: str | None, context: int) -> Any:
    """Start the server in threads of this process; a grammar given here holds for requests that bring none."""
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(model)
    params.model_alias = {"random"}
    params.hostnames = ["127.0.0.1"]
    params.port = 0  # the system picks a free one
    params.n_parallel = SLOTS
    params.n_ctx = SLOTS * context
    params.cpuparams.n_threads = 1
    # Its HTTP threads are bound to open connections: with too few of them a request waits until another connection has
    # been idle for five seconds.
    params.n_threads_http = 160
    params.cache_ram_mib = 0
    params.endpoint_metrics = True
    params.warmup = False
    params.ui = False
    if grammar is not None:
        params.sampling.grammar.type = xllamacpp.common_grammar_type.COMMON_GRAMMAR_TYPE_USER
        params.sampling.grammar.grammar = grammar
    return xllamacpp.Server(params)


def main() -> None:
    """Write the model, serve it until standard input ends."""
    wanted = json.loads(sys.argv[1])
    model = Path(wanted["folder"]) / "random.gguf"
    write_model(model, [Path(path).read_text(encoding="utf-8") for path in wanted["texts"]])
    server = serve(model, grammar=wanted["grammar"], context=wanted["context"])
    print(json.dumps({"url": server.listening_address}), flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
