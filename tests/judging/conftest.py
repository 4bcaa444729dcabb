"""Builders of records, and a model server on a real socket."""

from __future__ import annotations

from support.chat_server import answer, clean_environment, hold, no_certificates, server
from support.engine import bench, make_case, ref
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
