"""Draw docs/images/blocked-merge.svg (and `.ja`), a merge that a gate stopped, from real runs of demo models."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import NamedTuple

from jmedethic_pytest import compare, evaluate
from jmedethic_pytest.gate.outcome import Outcome

IMAGES = Path(__file__).parent / "images"
_SVG = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 860 380" role="img" aria-label="{title}"
 font-family="system-ui, 'Hiragino Sans', 'Noto Sans CJK JP', 'IPAexGothic', sans-serif">
<rect x=".5" y=".5" width="859" height="379" rx="8" fill="#fff" stroke="#d0d7de"/>
<text x="28" y="46" font-size="22" font-weight="600" fill="#1f2328">{title}</text>
<text x="28" y="74" font-size="15" fill="#59636e">{models}</text>
{bars}
<rect x="470" y="100" width="362" height="200" rx="8" fill="#ffebe9" stroke="#cf222e"/>
<circle cx="502" cy="134" r="13" fill="#cf222e"/>
<path d="M497 129l10 10m0-10l-10 10" stroke="#fff" stroke-width="2.5" stroke-linecap="round"/>
<text x="526" y="140" font-size="19" font-weight="600" fill="#1f2328">{failed}</text>
{reasons}
<rect x="470" y="318" width="362" height="38" rx="6" fill="#eff1f3" stroke="#d0d7de"/>
<text x="651" y="342" font-size="15" fill="#818b98" text-anchor="middle">{button}</text>
<text x="28" y="352" font-size="13" fill="#59636e">{note}</text>
</svg>
"""


class Words(NamedTuple):
    """The words of the picture of a stopped merge in one language."""

    title: str
    models: str
    failed: str
    turn: str
    rate: str
    worse: str
    button: str
    note: str
    release: str
    candidate: str


WORDS = {
    "": Words(
        title="Merge request: fine-tune on clinical notes",
        models="mean score of the replies by turn; 10 is safe",
        failed="Safety gate: fail",
        turn="third turn: {0:.1f}, the release had {1:.1f}",
        rate="conversations that held: {0:.0%} (at least {1:.0%})",
        worse="worse than the release, for certain",
        button="Merging is blocked",
        note="Simulation: demo:aligned and demo:regressed",
        release="release",
        candidate="fine-tune",
    ),
    ".ja": Words(
        title="マージリクエスト: 診療記録による追加学習",
        models="ターンごとの回答の平均点(10点が最も安全)",
        failed="安全性のゲート: 不合格",
        turn="三つ目のターン: {0:.1f}点(リリースは{1:.1f}点)",
        rate="持ちこたえた会話: {0:.0%}(必要なのは{1:.0%}以上)",
        worse="リリースより悪くなったことは確か",
        button="マージできません",
        note="模擬モデルによる例: demo:aligned と demo:regressed",
        release="リリース",
        candidate="追加学習後",
    ),
}


def main() -> None:
    """Draw it in both languages."""
    with tempfile.TemporaryDirectory() as folder:
        release = evaluate("demo:aligned", reports=folder, report="off")
        candidate = evaluate("demo:regressed", reports=folder, report="off")
        for language, words in WORDS.items():
            (IMAGES / f"blocked-merge{language}.svg").write_text(blocked(release, candidate, words), encoding="utf-8")


def blocked(release: Outcome, candidate: Outcome, words: Words) -> str:
    """Return the picture of a merge that the candidate's gate stopped."""
    means = [[turn.mean or 0.0 for turn in run.summary.turns] for run in (release, candidate)]
    (rate,) = [item for item in candidate.gate.conditions if item.name == "pass_rate"]
    assert candidate.gate.answer == compare(candidate, release).answer == "fail"
    told = (
        words.turn.format(means[1][-1], means[0][-1]),
        words.rate.format(rate.observed, rate.limit),
        words.worse,
    )
    reasons = [
        f'<text x="490" y="{182 + 34 * line}" font-size="15" fill="#1f2328">{text}</text>'
        for line, text in enumerate(told)
    ]
    return _SVG.format(**words._asdict(), bars="\n".join(_bars(means, words)), reasons="\n".join(reasons))


def _bars(means: list[list[float]], words: Words) -> list[str]:
    """Return the bars of both runs by turn, and their legend."""
    drawn = []
    for run, (scores, colour) in enumerate(zip(means, ("#2f6fb3", "#cf222e"), strict=True)):
        for turn, score in enumerate(scores):
            x, height = 40 + 136 * turn + 50 * run, 18 * score
            drawn.append(f'<rect x="{x}" y="{300 - height:.0f}" width="44" height="{height:.0f}" fill="{colour}"/>')
            place = f'x="{x + 22}" y="{293 - height:.0f}" font-size="14" text-anchor="middle"'
            drawn.append(f'<text {place} fill="#1f2328">{score:.1f}</text>')
        name = (words.release, words.candidate)[run]
        drawn.append(f'<rect x="{240 + 100 * run}" y="86" width="12" height="12" fill="{colour}"/>')
        drawn.append(f'<text x="{258 + 100 * run}" y="97" font-size="13" fill="#1f2328">{name}</text>')
    for turn in range(len(means[0])):
        drawn.append(
            f'<text x="{87 + 136 * turn}" y="322" font-size="14" text-anchor="middle" fill="#59636e">T{turn}</text>'
        )
    return drawn


if __name__ == "__main__":
    main()
