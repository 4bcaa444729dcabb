"""llama.cpp's own server, out of the package xllamacpp; run as a program by the supervisor until it is sent SIGTERM."""

from __future__ import annotations

import argparse
import signal
from pathlib import Path
from typing import Any

_HTTP_THREADS = 64
"""More than connections: one that waits for a thread would wait until another connection has been idle for seconds."""


def main() -> None:
    """Serve a GGUF file on 127.0.0.1; adapters are loaded, and answer only to requests that name them."""
    parser = argparse.ArgumentParser(prog="llamacpp")
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--alias", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--parallel", type=int, required=True, help="conversations decoded at the same time")
    parser.add_argument("--context", type=int, help="tokens of one of them (default: the model's)")
    parser.add_argument("--lora", type=Path, action="append", default=[])
    parser.add_argument("--threads", type=int, help="(default: as llama.cpp chooses)")
    parser.add_argument("--gpu-layers", type=int, help="(default: as llama.cpp chooses)")
    parser.add_argument("--chat-template", type=Path, help="file of a Jinja template (default: the model's own)")
    server = serve(parser.parse_args())
    stopped = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, stopped)
    signal.sigwait(stopped)
    del server


def serve(asked: argparse.Namespace) -> Any:
    """Start the server in threads of this process."""
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(asked.model)
    params.model_alias = {asked.alias}
    params.hostnames = ["127.0.0.1"]
    params.port = asked.port
    params.n_parallel = asked.parallel
    params.n_ctx = asked.parallel * asked.context if asked.context else 0
    params.n_threads_http = _HTTP_THREADS
    params.ui = False
    if asked.threads is not None:
        params.cpuparams.n_threads = asked.threads
    if asked.gpu_layers is not None:
        params.n_gpu_layers = asked.gpu_layers
    if asked.chat_template is not None:
        params.chat_template = asked.chat_template.read_text(encoding="utf-8")
    if asked.lora:
        params.lora_adapters = [_adapter(path) for path in asked.lora]
        params.lora_init_without_apply = True
    return xllamacpp.Server(params)


def _adapter(path: Path) -> Any:
    import xllamacpp

    adapter = xllamacpp.CommonAdapterLoraInfo()
    adapter.path = str(path)
    adapter.scale = 0.0
    return adapter


if __name__ == "__main__":
    main()
