"""A model server on a real socket."""

from __future__ import annotations

from support.chat_server import answer, clean_environment, hold, no_certificates, server
from support.engine import ask, bench, make_case, ref
from support.virtual import virtual

__all__ = [
    "answer",
    "ask",
    "bench",
    "clean_environment",
    "hold",
    "make_case",
    "no_certificates",
    "ref",
    "server",
    "virtual",
]
