"""A model server on a real socket, and an engine at it."""

from __future__ import annotations

from support.chat_server import bench, clean_environment, hold, make_case, no_certificates, ref, runner, server, stage

__all__ = ["bench", "clean_environment", "hold", "make_case", "no_certificates", "ref", "runner", "server", "stage"]
