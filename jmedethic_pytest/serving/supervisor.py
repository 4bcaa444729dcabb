"""Keeps a server alive as long as somebody holds the other end of standard input; run as a program by server.py.

    python supervisor.py LOG SECONDS COMMAND...

It ends the server, and every process that the server made, when standard input is closed: by the run, or by the system
when the run's process is killed. It ends with the server's exit status (128 + N for signal N). Should this process be
killed itself, the kernel kills the server. It needs the standard library alone.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36


def main() -> int:
    """Run the command until it ends, or standard input does."""
    log, seconds, *command = sys.argv[1:]
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)  # what the server leaves behind becomes a child of this process
    with Path(log).open("ab") as output:
        try:
            server = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                preexec_fn=_die_with_parent,  # noqa: PLW1509 - there is one thread so far
            )
        except OSError as error:
            output.write(f"{command[0]}: {error.strerror}\n".encode())
            return 127
    signal.signal(signal.SIGTERM, lambda *_: _signal(server, signal.SIGTERM))
    threading.Thread(target=_until_the_run_ends, args=(server, float(seconds)), daemon=True).start()
    status = server.wait()
    _sweep(server)
    return status if status >= 0 else 128 - status


def _until_the_run_ends(server: subprocess.Popen[bytes], seconds: float) -> None:
    while os.read(0, 4096):
        pass
    _signal(server, signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        server.wait(seconds)
        return
    _signal(server, signal.SIGKILL)


def _signal(server: subprocess.Popen[bytes], number: int) -> None:
    """Send a signal to the server and whatever it started in its process group."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(server.pid, number)


def _sweep(server: subprocess.Popen[bytes], seconds: float = 10.0) -> None:
    """Kill what the server left behind, also what left its process group; children of the killed come to us in turn."""
    _signal(server, signal.SIGKILL)
    last = time.monotonic() + seconds
    while time.monotonic() < last:
        for child in _children():
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        try:
            ended, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not ended:
            time.sleep(0.02)


def _children() -> Iterator[int]:
    """Yield the children of this process; none where the system does not tell."""
    for listed in Path("/proc/self/task").glob("*/children"):
        with contextlib.suppress(OSError):
            yield from map(int, listed.read_text().split())


def _die_with_parent() -> None:
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _prctl(option: int, value: int) -> None:
    """Tell the kernel something about this process; other systems than Linux have no such call."""
    library: Any = ctypes.CDLL(None)
    if hasattr(library, "prctl"):
        library.prctl(option, value, 0, 0, 0)


if __name__ == "__main__":
    sys.exit(main())
