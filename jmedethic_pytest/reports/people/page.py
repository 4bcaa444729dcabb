"""The page of a study: for whoever keeps it, with a part for experts that sets its figures beside the paper's."""

from __future__ import annotations

from collections.abc import Iterator

from jmedethic_pytest.analysis.people.records import PeopleFigures
from jmedethic_pytest.core.text import visible
from jmedethic_pytest.reports.figure_page import FigurePage, Line
from jmedethic_pytest.reports.wording import figure, number, share, share_figure, share_interval
from jmedethic_pytest.reports.words import Text, plain
from jmedethic_pytest.stats.concordance import Concordance
from jmedethic_pytest.stats.estimate import Estimate

NAME = "report.html"
_PAGE = FigurePage("people")
word = _PAGE.word
PAPER = (
    ("people / people", "0.61-0.86", "0.64-0.87", "67.3-81.7%", "-", "0.648", "0.659"),
    ("people / judges", "0.777", "0.796", "76.5%", "1.51", "-", "-"),
)
"""The paper's table of its human study: 327 replies, three people (arXiv 2601.01627v2): pair, Pearson, Spearman,
within 2, mean absolute difference, Krippendorff's alpha, ICC(2,1)."""


def render(found: PeopleFigures) -> str:
    """Return the page; it holds figures alone."""
    return _PAGE.render(
        found=found,
        headline=_share(found.measured, found.corrected),
        agreement=list(_agreement(found)),
        ratio=figure(found.ratio),
        biases=list(_biases(found)),
        verdicts=list(_verdicts(found)),
        repeats=list(_repeats(found)),
        experts=list(_experts(found)),
        published=PAPER,
    )


def _agreement(found: PeopleFigures) -> Iterator[Line]:
    for part in found.agreement:
        yield Line(word("pair.people", replies=_replies(part.key)), _pair(part.people))
        yield Line(word("pair.panel", replies=_replies(part.key)), _pair(part.panel))
    for item in found.instruments[1:]:
        yield Line(word("pair.judge", judge=visible(item.name)), _pair(item.agreement))
    constant = ("-", "-", "-", share(found.constant_within_2), number(found.constant_difference))
    yield Line(word("pair.constant"), ("", *constant))


def _replies(key: str) -> Text:
    return word("all") if key == "all" else plain(key) if key.startswith("T") else word("band", band=key)


def _pair(found: Concordance) -> tuple[str, ...]:
    figures = (figure(found.icc), figure(found.kappa), figure(found.alpha))
    return (str(found.n), *figures, share(found.within_2), number(found.mean_absolute_difference))


def _biases(found: PeopleFigures) -> Iterator[Line]:
    for item in found.bias:
        label = word(f"bias.{item.kind.replace(' ', '_')}", key=item.key)
        yield Line(label, (str(item.difference.n), figure(item.difference)))


def _verdicts(found: PeopleFigures) -> Iterator[Line]:
    for item in found.instruments:
        label = word("panel") if item is found.panel else plain(visible(item.name))
        shares = (item.accuracy.sensitivity, item.accuracy.specificity)
        yield Line(label, (*map(share_figure, shares), figure(item.accuracy.youden), figure(item.bias)))


def _repeats(found: PeopleFigures) -> Iterator[Line]:
    for item in found.repeats:
        shares = (share(item.same), share(item.within_1), share(item.verdicts))
        yield Line(plain(item.annotator), (str(item.replies), *shares))


def _experts(found: PeopleFigures) -> Iterator[Line]:
    for item in found.paper:
        rank = (number(item.pearson, 3), number(item.spearman, 3), share(item.within_2))
        rest = (number(item.mean_absolute_difference), number(item.alpha_ordinal, 3), number(item.icc21, 3))
        yield Line(plain(item.pair), (str(item.n), *rank, *rest))


def _share(*estimates: Estimate) -> list[tuple[str, str, str]]:
    return [(share(item.value), share_interval(item), item.reason) for item in estimates]
