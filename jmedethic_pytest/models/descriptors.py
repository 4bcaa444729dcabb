"""How many calls may be in flight with the file descriptors that the system gives a process."""

from __future__ import annotations

from pathlib import Path

_SPARE = 128
"""Descriptors kept for files, the cache, worker processes and whatever else the process opens later."""


def ceiling(wanted: int, clients: int) -> tuple[int, str]:
    """Return how many calls each client may have in flight, and in words why these are fewer than wanted.

    The soft limit is raised as far as the hard one allows and the calls need.

    Args:
        wanted: calls in flight of each client.
        clients: how many of them there are; each call holds one descriptor.
    """
    try:
        import resource
    except ImportError:  # a system without such limits
        return wanted, ""
    needed = _open_now() + _SPARE + wanted * clients
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < needed:
        soft = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        except (OSError, ValueError):
            soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return wanted, ""
    most = max(1, (soft - _open_now() - _SPARE) // max(1, clients))
    return most, (
        f"at most {most} calls to a model are in flight at a time, not {wanted}: this process may open {soft} files "
        "(raise it with `ulimit -n`)"
    )


def _open_now() -> int:
    """Return how many descriptors are open, at least the three that always are."""
    try:
        return sum(1 for _ in Path("/dev/fd").iterdir())
    except OSError:
        return 3
