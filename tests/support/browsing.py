"""What a reader does in a page of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page


def leave(tab: Page) -> None:
    """Close the conversation, and wait for the list: a dialog tells the page only afterwards that it was closed."""
    tab.keyboard.press("Escape")
    tab.wait_for_function("!location.hash.includes('case=')")
