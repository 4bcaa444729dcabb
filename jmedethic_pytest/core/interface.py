"""The language in which people are told things: English, or what ``--lang``, ``--jmed-lang`` or ``JMED_LANG`` says.

It concerns what is shown and written for people: terminal, comments, drawings. Files for programs and the errors of bad
input are English in either language. The choice lies in the environment, so that processes started on the way share it.
"""

from __future__ import annotations

import os

from jmedethic_pytest.core.errors import ConfigError, unknown
from jmedethic_pytest.core.languages import INTERFACE, Locale
from jmedethic_pytest.core.sentences import in_language

VARIABLE = "JMED_LANG"
HELP = f"Language of what is shown and written for people: en or ja (default: ${VARIABLE}, else en)"


def choose(language: str | None, option: str) -> None:
    """Take the language that an option names, and check the one of the environment.

    Args:
        language: the option's value; ``None`` if it was not given.
        option: how it is spelled, for the error text.

    Raises:
        ConfigError: if there is no such language.
    """
    place, value = (option, language) if language is not None else (VARIABLE, os.environ.get(VARIABLE, ""))
    if (language is not None or value) and value not in INTERFACE:
        raise ConfigError(unknown(place, value, INTERFACE))
    if language is not None:
        os.environ[VARIABLE] = language


def language() -> Locale:
    """Return the language chosen."""
    chosen = os.environ.get(VARIABLE, "")
    return chosen if chosen in INTERFACE else "en"


def shown(text: object) -> str:
    """Return a sentence as it is shown in the language chosen."""
    return in_language(text, language())
