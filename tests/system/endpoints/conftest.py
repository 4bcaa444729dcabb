"""A model server on a real socket, and a project whose models it is."""

from __future__ import annotations

from support.chat_server import clean_environment, hold, make_case, no_certificates, project, server

__all__ = ["clean_environment", "hold", "make_case", "no_certificates", "project", "server"]
