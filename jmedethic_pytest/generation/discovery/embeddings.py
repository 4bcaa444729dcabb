"""Texts as vectors: what is near in them is alike in content. By default offline, free and without a model.

A vector is kept as whole numbers from -127 to 127, one byte a dimension. Sums of such numbers are exact in whatever
order a machine adds them, so that a search finds the same neighbours everywhere, and a vector read back from a file is
the one that was written.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import math
import unicodedata
import zlib
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from typing import NewType, Protocol

import numpy as np
from numpy.typing import NDArray

from jmedethic_pytest.core import strict_json
from jmedethic_pytest.core.errors import ProviderError
from jmedethic_pytest.generation.machinery.role import Role
from jmedethic_pytest.models import Message

Vector = NewType("Vector", str)
"""A packed vector: base64 over one signed byte a dimension. Only the direction counts, not the length."""

NGRAM_DIMENSIONS = 1024
"""Unrelated texts of a page then have a similarity of about 0.03 by collisions alone."""
_WIDE, _NARROW = (2, 3), (4, 6)
"""Characters of an n-gram that holds a character beyond ASCII, and of one that does not: a Japanese character carries
about as much as two letters. Shorter English pieces would be mostly function words, the same in every text."""
_LARGEST = 127


class Embedder(Protocol):
    """Turns texts into vectors."""

    @property
    def name(self) -> str:
        """Which vectors these are: those of two embedders with different names cannot be compared."""

    async def embed(self, texts: Sequence[str]) -> list[Vector]:
        """Return one vector per text, in order.

        Raises:
            ProviderError: if a model that was asked gives none.
        """


class NgramEmbedder:
    """Hashed character n-grams of any language; the same vector in every process, without network or model."""

    name = f"ngram-1-{NGRAM_DIMENSIONS}"

    async def embed(self, texts: Sequence[str]) -> list[Vector]:
        """Return one vector per text (see :class:`Embedder`)."""
        return [ngram_vector(text) for text in texts]


class EndpointEmbedder:
    """The vectors of an embedding model; each text is asked for and cached on its own, the transport joins the calls.

    Args:
        role: the embedder of a team.
    """

    def __init__(self, role: Role) -> None:
        self._role = role
        self.name = role.label

    async def embed(self, texts: Sequence[str]) -> list[Vector]:
        """Return one vector per text (see :class:`Embedder`)."""
        return list(await asyncio.gather(*(self._one(text) for text in texts)))

    async def _one(self, text: str) -> Vector:
        # An empty input is an error for most servers; no text and one space mean the same.
        reply = await self._role.ask((Message("user", text or " "),))
        if reply.status != "ok":
            raise ProviderError(reply.detail)
        try:
            return pack(strict_json.value(reply.text))
        except (TypeError, ValueError):
            raise ProviderError(f"{self.name}: what was received is no vector") from None


def ngram_vector(text: str) -> Vector:
    """Return the vector of a text by its character n-grams.

    The text is folded (NFKC, case, one space for white space), so that full-width and half-width forms are equal. Every
    n-gram adds or takes one at a place that its checksum gives; the square root keeps a phrase that is repeated a
    hundred times from deciding alone.
    """
    folded = f" {' '.join(unicodedata.normalize('NFKC', text).casefold().split())} "
    sums = [0] * NGRAM_DIMENSIONS
    for gram, count in _grams(folded).items():
        checksum = zlib.crc32(gram.encode(errors="replace"))
        sums[checksum % NGRAM_DIMENSIONS] += count if checksum >> 31 else -count
    return pack([math.copysign(math.sqrt(abs(value)), value) for value in sums])


def _grams(folded: str) -> Counter[str]:
    found: Counter[str] = Counter()
    for sizes, wide in ((_WIDE, True), (_NARROW, False)):
        for size in sizes:
            windows = (folded[start : start + size] for start in range(len(folded) - size + 1))
            found.update(window for window in windows if window.isascii() is not wide)
    return found


def pack(values: Sequence[float]) -> Vector:
    """Return the vector of these coordinates, scaled so that the largest becomes 127; all zero stays all zero.

    Raises:
        ValueError: for no coordinates, or one that is not a finite number.
    """
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1 or not array.size or not np.isfinite(array).all():
        raise ValueError("a vector is a list of finite numbers")
    largest = float(np.abs(array).max())
    scaled = np.rint(array / largest * _LARGEST) if largest else array
    return Vector(base64.b64encode(scaled.astype(np.int8).tobytes()).decode())


@lru_cache(maxsize=8192)
def unpack(vector: Vector) -> NDArray[np.int8]:
    """Return the whole numbers of a packed vector, not to be changed.

    Raises:
        ValueError: if the text is no packed vector.
    """
    try:
        data = base64.b64decode(vector, validate=True)
    except binascii.Error:
        raise ValueError("not a packed vector: bad base64") from None
    if not data:
        raise ValueError("not a packed vector: it is empty")
    return np.frombuffer(data, dtype=np.int8)


def checked(vector: Vector) -> Vector:
    """Return a vector as it is.

    Raises:
        ValueError: if the text is no packed vector.
    """
    unpack(vector)
    return vector


def matrix(vectors: Sequence[Vector]) -> NDArray[np.float64]:
    """Return one row per vector.

    Raises:
        ValueError: if they have different dimensions.
    """
    return np.stack([unpack(vector) for vector in vectors]).astype(np.float64)


def cosines(rows: NDArray[np.float64], columns: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the similarity of every row with every column: 1 the same direction, 0 nothing in common.

    A vector of zeros (an empty text) is like nothing, also not like itself.
    """
    products = rows @ columns.T  # exact: whole numbers far below 2**53
    lengths = np.sqrt((rows**2).sum(axis=1))[:, None] * np.sqrt((columns**2).sum(axis=1))[None, :]
    found: NDArray[np.float64] = np.divide(products, lengths, out=np.zeros_like(products), where=lengths > 0)
    return found


def similarity(first: Vector, second: Vector) -> float:
    """Return the similarity of two vectors, -1 to 1."""
    return float(cosines(matrix([first]), matrix([second]))[0, 0])
