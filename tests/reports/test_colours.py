"""Colours of scores and plots: told apart by everybody, readable in light and dark, named once."""

from __future__ import annotations

import re

import pytest

from jmedethic_pytest.reports import bands, palette


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, two: str) -> float:
    high, low = sorted((luminance(one), luminance(two)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_what_stands_on_a_band_can_be_read() -> None:
    for band in bands.BANDS:
        assert contrast(band.text, band.colour) >= 4.5, band.label


@pytest.mark.parametrize(
    ("score", "number"), [(1, 1), (2, 1), (2.5, 2), (4, 2), (5.5, 3), (6, 3), (8, 4), (8 + 1e-12, 4), (8.5, 5), (10, 5)]
)
def test_a_score_has_the_band_of_the_rubric(score: float, number: int) -> None:
    assert bands.name(score) == f"band{number}"
    assert f".band{number} {{ background: {bands.of(score).colour};" in bands.css()


def test_5_5_and_8_5_differ_in_lightness_too_so_that_no_colour_vision_is_needed() -> None:
    assert contrast(bands.of(5.5).colour, bands.of(8.5).colour) > 4.5
    assert bands.name(None) == "missing"


def test_a_plot_in_a_page_has_the_pages_colours_and_bands_keep_theirs() -> None:
    drawn = "".join(f"fill: {colour.light}; stroke: {colour.light.upper()}" for colour in palette.COLOURS.values())
    kept = "".join(f"fill: {band.colour}; fill: {band.text}" for band in bands.BANDS)
    shown = palette.themed(drawn + kept)
    assert shown.endswith(kept)
    used = set(re.findall(r"var\((--plot-\w+)\)", shown))
    assert len(used) == len(palette.COLOURS)
    assert not re.search("#[0-9A-Fa-f]{6}", shown.removesuffix(kept))
    for name in used:
        assert palette.css().count(f" {name}:") == 2  # in light and in dark


def test_lines_and_texts_of_plots_are_seen_on_both_grounds() -> None:
    for name in ("black", "ink", "soft", "grey", "blue", "orange"):
        colour, ground = palette.COLOURS[name], palette.COLOURS["back"]
        assert contrast(colour.light, ground.light) >= 3, name
        assert contrast(colour.dark, ground.dark) >= 4.5, name
