"""A cache for functions of texts that keeps nothing long: replies are as large as a server likes to make them."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Any, TypeVar

LONGEST = 20_000
"""Characters of all texts of a call whose result is kept; a reply that uses all of its tokens has some six thousand.

A cache that counts its entries alone holds hundreds of replies of two megabytes, and their copies.
"""
F = TypeVar("F", bound=Callable[..., Any])


def short_cache(maxsize: int, longest: int = LONGEST) -> Callable[[F], F]:
    """Keep the results of the last calls of a function, but for those of long texts: they are computed each time.

    Args:
        maxsize: calls that are kept.
        longest: characters of all their texts.
    """

    def decorate(function: F) -> F:
        kept = lru_cache(maxsize)(function)

        @wraps(function)
        def call(*given: Any) -> Any:
            size = sum([len(value) for value in given if isinstance(value, str)])
            return kept(*given) if size <= longest else function(*given)

        call.cache_info = kept.cache_info  # type: ignore[attr-defined]
        return call  # type: ignore[return-value]

    return decorate
