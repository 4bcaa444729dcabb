"""Build the documentation as a site: site/ in English and site/ja/ in Japanese (`make docs`).

The pages are those of the repository at their places, so that their links hold; what they link to besides goes along.
A page ``x.ja.md`` is the Japanese ``x.md``; a page without one is shown in English, under a note that says so. The
generator is only called: what it is given is plain Markdown and one file of settings for each language.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]
SITE = ROOT / "docs" / "site"
FRONT = {"en": "index.md", "ja": "index.ja.md"}
_LINK = re.compile(r"(\]\(|<img src=\")(?!https?://|#|mailto:)([^)#\s\"]+)")
_WRAPPED = re.compile(r"(?<=[\u3000-\u9fff\uff00-\uffef])\n *(?=[\u3000-\u9fff\uff00-\uffef])")
"""A line break within Japanese, which would be shown as a space."""
_ITEM = re.compile(r"(?:[*-]|\d+\.) ")
_LISTED = {
    "More how-tos": ("how-to", ()),
    "Explanation": ("explanation", ()),
    "Reference": ("reference", ()),
    "Project": (
        "",
        (
            "docs/performance.md",
            "ARCHITECTURE.md",
            "CONTRIBUTING.md",
            "SECURITY.md",
            "CHANGELOG.md",
            "benchmark_cases/README.md",
        ),
    ),
}
"""Sections of the navigation that list the pages of a folder of docs/ that no other section has, and further ones."""


def main() -> None:
    """Build both languages into a folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=ROOT / "build" / "site")
    output = parser.parse_args().output.resolve()
    with tempfile.TemporaryDirectory() as folder:
        for language in FRONT:
            work = Path(folder) / language
            gather(language, work / "pages")
            (work / "settings.yml").write_text(yaml.safe_dump(settings(language), allow_unicode=True), encoding="utf-8")
            command = [sys.executable, "-m", "zensical", "build", "--strict", "--config-file", "settings.yml"]
            if (done := subprocess.run(command, cwd=work, check=False)).returncode:  # it has said why
                sys.exit(done.returncode)
        shutil.rmtree(output, ignore_errors=True)
        shutil.copytree(Path(folder) / "en" / "site", output)
        shutil.copytree(Path(folder) / "ja" / "site", output / "ja")
    sys.stdout.write(f"{output}/index.html\n")


def gather(language: str, target: Path) -> None:
    """Write the pages of a language, and what they link to, under their paths in the repository."""
    note = "" if language == "en" else tomllib.loads((SITE / f"{language}.toml").read_text("utf-8"))["english_only"]
    for source in pages():
        place = source.relative_to(ROOT)
        own_page = source.with_suffix(f".{language}.md")
        text = (own_page if own_page.is_file() else source).read_text(encoding="utf-8")
        if own_page.is_file():  # here it stands under the plain name, as the pages that it links to do
            text = text.replace(f".{language}.md", ".md")
        if note and not own_page.is_file() and ".ja" not in source.suffixes:
            text = re.sub(r"\A(# .*\n)", rf"\1\n!!! note\n    {note}\n", text)
        write(target / ("overview.md" if str(place) == "README.md" else place), text)
        for link in _LINK.findall(text):
            linked = (source.parent / link[1]).resolve()
            if linked.is_file() and linked.suffix != ".md":
                copy(linked, target / linked.relative_to(ROOT))
    front = (SITE / FRONT[language]).read_text(encoding="utf-8")
    write(target / "README.md", front)
    for _, link in _LINK.findall(front):
        if not link.endswith(".md"):
            copy(ROOT / link, target / link)


def pages() -> list[Path]:
    """Return the pages of the repository."""
    folders = [ROOT / name for name in ("benchmark_cases", "docs", "examples")]
    found = [*ROOT.glob("*.md"), *(page for folder in folders for page in folder.rglob("*.md"))]
    return sorted(page for page in found if SITE not in page.parents)


def copy(source: Path, target: Path) -> None:
    """Copy a file that a page links to."""
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(source, target)


def write(target: Path, text: str) -> None:
    """Write a page as the generator reads it: lists stand apart, and what belongs to an item is indented by four."""
    lines: list[str] = []
    inside = fenced = False
    for line in _WRAPPED.sub("", text).splitlines():
        if _ITEM.match(line) and not fenced:
            if lines and lines[-1] and not inside:
                lines.append("")
            inside = True
        elif line and not line.startswith(" ") and not fenced:
            inside = False
        spaces = len(line) - len(line.lstrip(" "))
        lines.append("  " * bool(inside and line and spaces > 1) + line if inside else line)
        fenced ^= line.lstrip().startswith("```")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text("\n".join(lines) + "\n", encoding="utf-8")


def settings(language: str) -> dict[str, Any]:
    """Return the generator's settings for a language."""
    found: dict[str, Any] = yaml.safe_load((SITE / "settings.yml").read_text(encoding="utf-8"))
    up = "." if language == "en" else ".."
    links = [("English", f"{up}/index.html", "en"), ("日本語", f"{up}/ja/index.html", "ja")]
    found["extra"]["alternate"] = [dict(zip(("name", "link", "lang"), link, strict=True)) for link in links]
    found["theme"]["language"] = language
    list_rest(found["nav"])
    if language != "en":
        words = tomllib.loads((SITE / f"{language}.toml").read_text("utf-8"))
        found["site_description"] = words["site_description"]
        found["nav"] = translated(found["nav"], words["titles"])
    return {**found, "docs_dir": "pages", "site_dir": "site"}


def list_rest(nav: list[Any]) -> None:
    """Fill the sections of a navigation that list what no other section has."""
    named = set(re.findall(r"[\w/.-]+\.md", str(nav)))
    for section in nav:
        for title in section.keys() & _LISTED:
            folder, more = _LISTED[title]
            there = sorted((ROOT / "docs" / folder).glob("*.md")) if folder else []
            found = [str(page.relative_to(ROOT)) for page in there if ".ja" not in page.suffixes]
            section[title] = [page for page in (*found, *more) if page not in named]


def translated(item: Any, titles: dict[str, str]) -> Any:
    """Return navigation with titles in another language, as far as there are."""
    if isinstance(item, dict):
        return {titles.get(title, title): translated(value, titles) for title, value in item.items()}
    return [translated(part, titles) for part in item] if isinstance(item, list) else item


if __name__ == "__main__":
    main()
