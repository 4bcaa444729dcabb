"""``pytest``, ``jmedethic`` and ``python`` for scripts that start them: the server of forks has them ready.

A script that starts ten commands would otherwise spend twenty seconds of CPU on the same imports. Whoever kills one
kills what was forked for it.
"""

from __future__ import annotations

import fcntl
import io
import json
import os
import select
import signal
import sys
from multiprocessing import context, forkserver, parent_process, reduction
from pathlib import Path

from support import forked

_PROGRAM = """#!/bin/sh
'''exec' "{python}" -IS "$0" "$@"
' '''
import json, os, signal, socket, struct, sys, tempfile
from multiprocessing import reduction
program, arguments = os.path.basename(sys.argv[0]), sys.argv[1:]
if program == "python":
    if arguments[:1] != ["-m"] or arguments[1:2] not in (["pytest"], ["jmedethic_pytest"]):
        os.execv({python!r}, [{python!r}, *arguments])
    program, arguments = arguments[1].removesuffix("_pytest"), arguments[2:]
asked = tempfile.TemporaryFile()
asked.write(json.dumps([program, arguments, os.getcwd(), dict(os.environ)]).encode())
asked.seek(0)
(status, status_w), (order, order_w) = os.pipe(), os.pipe()
nothing = os.open(os.devnull, os.O_RDWR)
with socket.socket(socket.AF_UNIX) as server:
    server.connect({address!r})
    reduction.sendfds(server, [order, status_w, nothing, nothing, 0, 1, 2, asked.fileno()])
os.close(order)
os.close(status_w)
with open({order!r}, "rb") as kept:
    os.write(order_w, kept.read())
signed = lambda: struct.unpack("q", os.read(status, 8))[0]
pid = signed()
for name in (signal.SIGINT, signal.SIGTERM):
    signal.signal(name, lambda number, frame: os.kill(pid, number))
ended = signed()
os._exit(ended if ended >= 0 else 128 - ended)
"""


def lay(folder: Path) -> Path:
    """Lay the programs into a new folder and return it; ``python`` without one of our modules is the real one."""
    forked.serve_forks()
    folder.mkdir()
    order = folder / "order.pickle"
    order.write_bytes(_order())
    text = _PROGRAM.format(python=sys.executable, address=forkserver._forkserver._forkserver_address, order=str(order))
    for name in ("jmedethic", "pytest", "python"):
        (folder / name).write_text(text, encoding="utf-8")
        (folder / name).chmod(0o755)
    return folder


def _order() -> bytes:
    """Return what the server of forks is sent for a process that does what its last descriptor holds."""
    buffer = io.BytesIO()
    process = context.ForkServerProcess(target=_do_as_asked)
    context.set_spawning_popen(process)
    try:
        reduction.dump({"sys_path": sys.path}, buffer)
        reduction.dump(process, buffer)
    finally:
        context.set_spawning_popen(None)
    return buffer.getvalue()


def _die_with_whoever_asked() -> None:
    """Have the kernel end this process when nobody can send it an order any more, before the other's end is told."""
    if not hasattr(fcntl, "F_SETSIG"):  # other systems than Linux: it goes on to its end
        return
    orders = parent_process().sentinel  # type: ignore[union-attr]
    fcntl.fcntl(orders, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(orders, fcntl.F_SETSIG, signal.SIGKILL)
    fcntl.fcntl(orders, fcntl.F_SETFL, os.O_ASYNC)
    if select.select([orders], [], [], 0)[0]:  # it has ended meanwhile
        os.kill(os.getpid(), signal.SIGKILL)


def _do_as_asked() -> None:
    os.setsid()
    _die_with_whoever_asked()
    *streams, asked = forkserver.get_inherited_fds()
    for target, source in enumerate(streams):
        os.dup2(source, target)
    # Those of the server are files or pipes of another kind.
    sys.stdin, sys.stdout = open(0, closefd=False), open(1, "w", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", buffering=1, errors="backslashreplace", closefd=False)  # noqa: SIM115
    with os.fdopen(asked, "rb") as file:
        program, arguments, folder, environment = json.load(file)
    forked.become(program, arguments, folder, environment)
