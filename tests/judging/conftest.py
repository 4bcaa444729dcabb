"""Builders of records, and a model server on a real socket."""

from __future__ import annotations

from support.chat_server import answer, bench, clean_environment, hold, make_case, no_certificates, ref, server
from support.records import build_case, build_verdict

__all__ = [
    "answer",
    "bench",
    "build_case",
    "build_verdict",
    "clean_environment",
    "hold",
    "make_case",
    "no_certificates",
    "ref",
    "server",
]
