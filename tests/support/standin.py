"""Programs that stand in for vllm, sglang and transformers: they check their flags, and serve scripted replies.

A reply names the model that was asked for, so that a test sees who answered. ``STANDIN`` in the environment changes
them: ``fail`` ends one with last words, ``silent`` is never ready, ``leave`` also starts a process that leaves its
process group, ``die:N`` ends it at the N-th question.
"""

from __future__ import annotations

import json
import os
import stat
import sys
from pathlib import Path
from typing import Any

_PROGRAM = """#!/bin/sh
''''exec "{python}" "$0" "$@" # '''
import argparse, http.server, json, os, subprocess, sys, threading
NAME = os.path.basename(sys.argv[0])
HOW = os.environ.get("STANDIN", "")
if sys.argv[1:] in (["--version"], ["version"]):
    print(NAME, "9.8.7")
    sys.exit()
parser = argparse.ArgumentParser(prog=NAME, allow_abbrev=False)
parser.add_argument("verb", choices=["serve"])
if NAME in ("vllm", "own"):
    parser.add_argument("model")
    parser.add_argument("--max-model-len", type=int, dest="context")
    parser.add_argument("--max-loras", type=int)
    parser.add_argument("--max-lora-rank", type=int, choices=[8, 16, 32, 64])
    parser.add_argument("--lora-modules", nargs="+", default=[], dest="loras")
if NAME == "sglang":
    parser.add_argument("--model-path", dest="model", required=True)
    parser.add_argument("--context-length", type=int, dest="context")
    parser.add_argument("--max-loras-per-batch", type=int)
    parser.add_argument("--lora-paths", nargs="+", default=[], dest="loras")
if NAME != "transformers":
    parser.add_argument("--served-model-name", required=True)
    parser.add_argument("--enable-lora", action="store_true")
parser.add_argument("--gpu-memory-utilization")
parser.add_argument("--host", required=True)
parser.add_argument("--port", type=int, required=True)
asked = parser.parse_args()
with open(os.environ["STANDIN_NOTES"], "a") as notes:
    said = {{"program": NAME, "pid": os.getpid(), "argv": sys.argv[1:], "env": sorted(os.environ)}}
    print(json.dumps(said), file=notes)
if HOW == "fail":
    print("RuntimeError: CUDA out of memory: tried to allocate 2.00 GiB", file=sys.stderr)
    sys.exit(3)
if HOW == "leave":
    idle = [sys.executable, "-c", "import time; time.sleep(600)", os.environ["STANDIN_NOTES"]]
    subprocess.Popen(idle, start_new_session=True)
served = []
if NAME != "transformers":
    mark = {{"vllm": "", "own": "", "sglang": asked.served_model_name + ":"}}[NAME]
    served = [asked.served_model_name, *(mark + lora.partition("=")[0] for lora in asked.loras)]
    for lora in asked.loras:
        assert os.path.isfile(lora.partition("=")[2] + "/adapter_config.json"), lora
count, lock = [0], threading.Lock()

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def log_message(self, *args): pass
    def answer(self, status, body):
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
    def do_GET(self):
        if self.path == "/health":
            return self.answer(503 if HOW == "silent" else 200, {{}})
        room = getattr(asked, "context", None)
        self.answer(200, {{"data": [{{"id": name, "max_model_len": room}} for name in served]}})
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with lock:
            count[0] += 1
            if HOW.startswith("die:") and count[0] >= int(HOW[4:]):
                print("Engine core died unexpectedly", file=sys.stderr, flush=True)
                os._exit(5)
        if served and body["model"] not in served:
            return self.answer(404, {{"error": {{"message": "no such model: " + body["model"]}}}})
        text = "This is the reply of " + body["model"]
        choice = {{"index": 0, "finish_reason": "stop", "message": {{"role": "assistant", "content": text}}}}
        usage = {{"prompt_tokens": 9, "completion_tokens": 9}}
        self.answer(200, {{"model": body["model"], "choices": [choice], "usage": usage}})

class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

Server((asked.host, asked.port), Handler).serve_forever()
"""


class StandIns:
    """Programs in a folder, and a checkpoint with adapters for them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.notes = folder / "notes.jsonl"
        self.checkpoint = folder / "ward-7b"
        self.checkpoint.mkdir()
        (self.checkpoint / "config.json").write_text(json.dumps({"max_position_embeddings": 4096}))
        (self.checkpoint / "model.safetensors").write_bytes(b"weights")

    def install(self, *names: str) -> None:
        """Make programs of these names."""
        (self.folder / "bin").mkdir(exist_ok=True)
        for name in names:
            path = self.folder / "bin" / name
            path.write_text(_PROGRAM.format(python=sys.executable))
            path.chmod(path.stat().st_mode | stat.S_IXUSR)

    def adapter(self, name: str, rank: int = 8) -> Path:
        """Make an adapter as PEFT writes it."""
        path = self.folder / name
        path.mkdir()
        (path / "adapter_config.json").write_text(json.dumps({"r": rank}))
        (path / "adapter_model.safetensors").write_bytes(name.encode())
        return path

    def environment(self, how: str = "") -> dict[str, str]:
        """Return what finds the programs, and tells them how to behave."""
        path = f"{self.folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
        return {"PATH": path, "STANDIN_NOTES": str(self.notes), "STANDIN": how}

    @property
    def started(self) -> list[dict[str, Any]]:
        """What every program that was started says of itself."""
        return [json.loads(line) for line in self.notes.read_text().splitlines()] if self.notes.exists() else []


def alive(mark: str | Path) -> list[str]:
    """Return the command lines of the processes that name something which only they name."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().decode(errors="replace").split("\0")
        except OSError:  # it has ended meanwhile
            continue
        if str(mark) in " ".join(words) and path.parent.name != str(os.getpid()):
            found.append(" ".join(words))
    return found
