import json

import pytest

from kdaudit.errors import InvalidInput
from kdaudit.report import html
from kdaudit.report.composition import compose
from kdaudit.report.rendering import FORMATS, render
from kdaudit.run.manifest import verify
from kdaudit.run.reading import read


def test_a_report_is_drawn_into_the_run_and_sealed_by_itself(on_disk):
    files = render(on_disk)
    assert [f.name for f in files] == ["report.html", "report.md", "report.json"]
    assert all(f.stat().st_size > 1000 for f in files)
    assert verify(on_disk) == ()


def test_drawing_again_gives_the_same_bytes(on_disk):
    first = [f.read_bytes() for f in render(on_disk)]
    assert [f.read_bytes() for f in render(on_disk)] == first
    assert verify(on_disk) == ()


def test_what_is_read_back_from_disk_is_told_as_what_was_written(on_disk, run):
    told = html.render(compose(read(on_disk))).decode()
    assert told == html.render(compose(run)).decode()


def test_a_changed_report_is_noticed(on_disk):
    file = render(on_disk, ("json",))[0]
    data = json.loads(file.read_text())
    file.write_text(json.dumps({**data, "verdict": "HOLDS"}))
    assert [p.file for p in verify(on_disk)] == ["report/report.json"]


def test_an_unknown_format_is_refused_before_anything_is_written(on_disk):
    with pytest.raises(InvalidInput, match="docx.*html, md, json"):
        render(on_disk, ("html", "docx"))
    assert not (on_disk / "report").exists()


def test_formats_are_those_of_the_command_line():
    assert tuple(FORMATS) == ("html", "md", "json", "junit")
