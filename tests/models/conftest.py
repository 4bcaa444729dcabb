"""A model server on a real socket."""

from __future__ import annotations

from support.chat_server import answer, ask, bench, clean_environment, hold, make_case, no_certificates, ref, server

__all__ = ["answer", "ask", "bench", "clean_environment", "hold", "make_case", "no_certificates", "ref", "server"]
