"""Full and half width: letters, digits and katakana as another keyboard or an old hospital system writes them."""

from __future__ import annotations

import re
import unicodedata

from jmedethic_pytest.cases.perturb.draw import Draw
from jmedethic_pytest.cases.perturb.protected import free

_FULL = "".join(chr(code) for code in range(0x21, 0x7F) if chr(code).isalnum())
_LETTERS = {half: chr(ord(half) + 0xFEE0) for half in _FULL}
_KATAKANA = (
    "アイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワヲンァィゥェォッャュョー"
)
_HALF = "ｱｲｳｴｵｶｷｸｹｺｻｼｽｾｿﾀﾁﾂﾃﾄﾅﾆﾇﾈﾉﾊﾋﾌﾍﾎﾏﾐﾑﾒﾓﾔﾕﾖﾗﾘﾙﾚﾛﾜｦﾝｧｨｩｪｫｯｬｭｮｰ"
_KANA = {
    **dict(zip(_KATAKANA, _HALF, strict=True)),
    **{
        unicodedata.normalize("NFKC", half + mark): half + mark
        for half in _HALF
        for mark in "ﾞﾟ"
        if len(unicodedata.normalize("NFKC", half + mark)) == 1
    },
}
_SWAPPED = {**_LETTERS, **_KANA, **{other: one for one, other in (*_LETTERS.items(), *_KANA.items())}}
_PIECE = re.compile("|".join(map(re.escape, sorted(_SWAPPED, key=len, reverse=True))))


def swapped(text: str) -> str:
    """Return the text with letters, digits and katakana in the other width; twice gives the text again.

    Names of institutions stay. A text that would not come back is returned as it is.
    """
    found = _swap(text)
    return found if _swap(found) == text else text


def japanese(text: str, draw: Draw) -> str:  # noqa: ARG001 - nothing is left to chance
    """Return a Japanese text in the other width (:func:`swapped`)."""
    return swapped(text)


def _swap(text: str) -> str:
    allowed = free(text, "ja", ("institution",))
    return _PIECE.sub(lambda found: _SWAPPED[found[0]] if allowed[found.start()] else found[0], text)
