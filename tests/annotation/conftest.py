"""A stored run to draw from, and studies of it."""

from __future__ import annotations

from support.command import cli, folder
from support.studies import made, measured, saved, study_run

__all__ = ["cli", "folder", "made", "measured", "saved", "study_run"]
