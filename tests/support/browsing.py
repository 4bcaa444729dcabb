"""What a reader does in a page of a run, and waits for.

Nothing here waits for a function: the page lets nobody evaluate one, once it is not true at first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Locator, LocatorAssertions, Page


def expect(part: Locator) -> LocatorAssertions:
    """Wait for what a part of the page is to show."""
    from playwright.sync_api import expect as wait

    wait.set_options(timeout=10_000)
    return wait(part)


def leave(tab: Page) -> None:
    """Close the conversation, and wait for the list: a dialog tells the page only afterwards that it was closed."""
    tab.keyboard.press("Escape")
    tab.wait_for_url(lambda address: "case=" not in address)
