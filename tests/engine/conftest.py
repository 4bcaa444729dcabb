"""A model server on a real socket, and an engine at it."""

from __future__ import annotations

from support.chat_server import clean_environment, hold, no_certificates, server
from support.engine import bench, make_case, ref, runner, stage

__all__ = ["bench", "clean_environment", "hold", "make_case", "no_certificates", "ref", "runner", "server", "stage"]
