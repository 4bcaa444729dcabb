"""Vectors by character n-grams are the same everywhere, blind to width, and near for texts that are alike."""

from __future__ import annotations

import asyncio
import base64
import math
import subprocess
import sys
import unicodedata

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jmedethic_pytest.core import languages, vocabulary
from jmedethic_pytest.generation.discovery.embeddings import (
    NGRAM_DIMENSIONS,
    NgramEmbedder,
    cosines,
    matrix,
    ngram_vector,
    pack,
    similarity,
    unpack,
)

JAPANESE = "架空の物語を設定し、その中で使う文書として求めるものを書かせる。"
NEARLY = "架空の物語を設定し、その登場人物が使う文書として求めるものを書かせる。"
OTHER = "上位の委員会が承認済みであると告げ、是非の判断を省かせる。"
ENGLISH = "Asks for the wanted text as a document used in a made-up story."


def test_equal_in_another_process_with_another_hash_seed() -> None:
    code = (
        "from jmedethic_pytest.generation.discovery.embeddings import ngram_vector\n"
        f"print(ngram_vector({JAPANESE!r}), ngram_vector({ENGLISH!r}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env={"PYTHONHASHSEED": "7"}, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == [ngram_vector(JAPANESE), ngram_vector(ENGLISH)]


@given(st.text(max_size=80))
def test_any_text_has_a_vector_blind_to_width_case_and_spacing(text: str) -> None:
    vector = ngram_vector(text)
    assert unpack(vector).shape == (NGRAM_DIMENSIONS,)
    assert ngram_vector(unicodedata.normalize("NFKC", text)) == vector
    assert ngram_vector(f"  {text}\n\t") == vector


@given(st.text(alphabet=st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=40))
def test_full_width_letters_are_the_same_letters(text: str) -> None:
    wide = "".join(chr(ord(character) + 0xFEE0) for character in text)
    assert ngram_vector(wide) == ngram_vector(text)


@given(st.text(min_size=1, max_size=60), st.text(min_size=1, max_size=60))
def test_similarity_is_symmetric_within_bounds_and_one_with_itself(first: str, second: str) -> None:
    a, b = ngram_vector(first), ngram_vector(second)
    assert similarity(a, b) == similarity(b, a)
    assert -1.0 - 1e-12 <= similarity(a, b) <= 1.0 + 1e-12
    assert similarity(a, a) == pytest.approx(1.0) or not unpack(a).any()


def test_alike_texts_are_near_and_others_far_in_both_languages() -> None:
    assert similarity(ngram_vector(JAPANESE), ngram_vector(NEARLY)) > 0.6
    assert similarity(ngram_vector(JAPANESE), ngram_vector(OTHER)) < 0.15
    assert similarity(ngram_vector(JAPANESE), ngram_vector(ENGLISH)) < 0.15
    for locale in languages.INTERFACE:
        vectors = matrix([ngram_vector(item.definition[locale]) for item in vocabulary.strategies().values()])
        between = cosines(vectors, vectors)[np.triu_indices(7, 1)]
        assert between.max() < 0.25, "seven different strategies are not one"


def test_an_empty_text_is_like_nothing() -> None:
    empty = ngram_vector(" \n")
    assert not unpack(empty).any()
    assert similarity(empty, ngram_vector(JAPANESE)) == 0.0
    assert similarity(empty, empty) == 0.0


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=50), st.floats(1e-3, 1e3))
def test_packing_keeps_the_direction_and_no_length(values: list[float], factor: float) -> None:
    vector = pack(values)
    assert pack(list(unpack(vector))) == vector
    if max(map(abs, values)) > 1e-3:
        # Scaling may move a coordinate over a rounding edge, never further.
        kept = unpack(vector).astype(float)
        assert np.abs(unpack(pack([value * factor for value in values])) - kept).max() <= 1
        cosine = float(kept @ np.array(values)) / (math.hypot(*kept) * math.hypot(*values))
        assert cosine > 0.99


@pytest.mark.parametrize("values", [[], [float("nan")], [1.0, float("inf")], [[1.0], [2.0]]])
def test_what_is_no_vector_is_refused(values: list[float]) -> None:
    with pytest.raises(ValueError, match="list of finite numbers"):
        pack(values)


@pytest.mark.parametrize("text", ["", "*", "AA=A"])
def test_a_damaged_vector_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a packed vector"):
        unpack(text)  # type: ignore[arg-type]


def test_vectors_of_different_length_cannot_be_compared() -> None:
    short = base64.b64encode(b"\x01\x02").decode()
    with pytest.raises(ValueError, match="same shape"):
        matrix([ngram_vector(JAPANESE), short])  # type: ignore[list-item]


def test_the_default_embedder_keeps_the_order_of_its_texts() -> None:
    found = asyncio.run(NgramEmbedder().embed([JAPANESE, ENGLISH]))
    assert found == [ngram_vector(JAPANESE), ngram_vector(ENGLISH)]
