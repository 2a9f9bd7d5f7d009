import base64
import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).parents[2]
HOSTILE = "![pixel](http://evil.example/x.png) <script>alert(1)</script>"


def shown(test):
    """All HTML, plain texts and alternative texts of a page."""
    html = "".join(element.proto.body for element in test.get("html"))
    return html, [element.value for element in test.text]


def test_overview_answers_first_and_shows_strips(open_app, runs):
    test = open_app(runs).run()
    assert not test.exception and not test.error and not test.warning
    html, texts = shown(test)
    assert "Female is scored above the line 10.4 points less often than male." in html
    assert html.index("FAILS") < html.index("How far the proxies can be believed") < html.index('class="strip"')
    assert "Does the income scorer treat people alike?" in texts
    assert test.sidebar.selectbox[0].value == "01JDF0Z9Q0V6M3T5K8W2X4Y7RC"


def test_drawings_become_pictures_with_words(open_app, runs):
    html, _ = shown(open_app(runs).run())
    assert "<svg" not in html  # Streamlit would take them out without a word
    pictures = re.findall(r"<img [^>]*>", html)
    assert len(pictures) > 8 and all(' alt="' in p and 'src="data:image/svg+xml;base64,' in p for p in pictures)
    for picture in pictures:
        drawing = base64.b64decode(re.search(r"base64,([^\"]*)", picture).group(1)).decode()
        ElementTree.fromstring(drawing)  # a picture must be whole XML, or nothing is shown
        assert "--proxy:#c04a00" in drawing


def test_a_link_opens_the_run_that_it_names(open_app, runs):
    test = open_app(runs, run="01JDF0Z9Q0V6M3T5K8W2X4Y7RB").run()
    assert test.sidebar.selectbox[0].value == "01JDF0Z9Q0V6M3T5K8W2X4Y7RB"
    assert "01JDF0Z9Q0V6M3T5K8W2X4Y7RB" in shown(test)[0]


def test_a_link_cannot_lead_out_of_the_runs(open_app, runs):
    for name in ("../../etc", "/etc", "..\\..", "no such run"):
        test = open_app(runs, run=name).run()
        assert not test.exception
        assert test.sidebar.selectbox[0].value.startswith("01JDF")


def open_findings(monkeypatch, runs, **link):
    """The page alone, since a page given as a function has no file to switch to."""
    from streamlit.testing.v1 import AppTest

    monkeypatch.setattr("sys.argv", ["app.py", str(runs)])
    monkeypatch.syspath_prepend(str(ROOT / "apps" / "dashboard"))

    def page():
        import sys

        import findings
        import frame

        frame.choose_run(frame.folders(sys.argv[1:]))
        findings.show()

    test = AppTest.from_function(page, default_timeout=30)
    for key, value in link.items():
        test.query_params[key] = value
    return test.run()


def test_findings_are_filtered_by_verdict_and_question(monkeypatch, runs):
    test = open_findings(monkeypatch, runs)
    assert not test.exception
    assert len(test.dataframe[0].value) == 8  # four claims, two proxies
    test.multiselect(key="verdict").set_value(["UNDECIDED"]).run()
    table = test.dataframe[0].value
    assert len(table) == 2 and set(table["verdict"]) == {"? UNDECIDED"} and set(table["needed"]) == {"2,900"}


def test_filters_stand_in_the_link(monkeypatch, runs):
    test = open_findings(monkeypatch, runs, proxy="tree")
    assert test.multiselect(key="proxy").value == ["tree"]
    assert set(test.dataframe[0].value["proxy"]) == {"tree"}


def test_the_plot_shows_the_numbers_of_the_findings_and_sends_nothing_away(monkeypatch, runs):
    test = open_findings(monkeypatch, runs)
    chart = test.get("plotly_chart")[0].proto
    spec = json.loads(chart.spec)
    lead = spec["data"][0]
    assert lead["marker"]["symbol"] == "diamond" and lead["marker"]["color"] == "#c04a00"
    assert lead["error_x"]["color"] == "#0072b2"
    assert [round(v, 1) for v in lead["x"]] == [-10.4, -8.1, -0.4, 4.8]
    assert json.loads(chart.config)["showSendToCloud"] is False
    assert "Gap in the teacher" in chart.alt


def test_one_finding_in_detail_by_link(monkeypatch, runs):
    name = "probes/parity: race: Black − white"
    test = open_findings(monkeypatch, runs, finding=name)
    assert test.selectbox(key="finding").value == name
    html, _ = shown(test)
    assert "Black is scored above the line 8.1 points less often than white." in html and "MASKED" in html
    assert [c.value for c in test.code] == ["kdaudit audit audit.yaml"]


def test_texts_of_a_run_are_never_read_as_markup(monkeypatch, words, tmp_path):
    run = words.build()
    hostile = tuple(replace(f, claim=HOSTILE, sentence=HOSTILE) for f in run.findings)
    run = replace(run, findings=hostile, account={**run.account, "title": HOSTILE, "not_tested": [HOSTILE]})
    words.written(tmp_path / "runs", run)
    test = open_findings(monkeypatch, tmp_path / "runs")
    assert not test.exception
    html, _ = shown(test)
    assert "<script" not in html and "&lt;script&gt;" in html
    assert not any("evil" in element.value for element in test.markdown)


def test_a_changed_run_is_shown_with_a_warning(open_app, runs):
    name = "01JDF0Z9Q0V6M3T5K8W2X4Y7RC"
    account = runs / name / "account.json"
    account.write_text(account.read_text().replace("alike", "aliKe"))
    test = open_app(runs).run()
    assert [w.value for w in test.warning] == ["This run is not what was sealed; do not rely on it."]
    assert any("account.json" in text for text in shown(test)[1])


def test_a_broken_and_an_unfinished_run_are_told_in_words(open_app, runs):
    name = "01JDF0Z9Q0V6M3T5K8W2X4Y7RC"
    (runs / name / "findings.json").write_text("{")
    test = open_app(runs).run()
    assert not test.exception and [e.value for e in test.error] == ["This run cannot be read."]
    (runs / name / "findings.json").unlink()
    (runs / name / "manifest.json").unlink()
    test = open_app(runs).run()
    assert not test.exception and any("not finished" in text for text in shown(test)[1])


def test_without_runs_it_says_how_to_make_one(open_app, tmp_path):
    test = open_app(tmp_path).run()
    assert not test.exception
    assert any("kdaudit demo" in text for text in [t.value for t in test.sidebar.text])


def test_the_dashboard_loads_no_torch(runs):
    code = (
        "import sys; sys.argv = ['app.py', sys.argv[1]]\n"
        "from streamlit.testing.v1 import AppTest\n"
        f"test = AppTest.from_file({str(ROOT / 'apps' / 'dashboard' / 'app.py')!r}, default_timeout=30).run()\n"
        "assert not test.exception\n"
        "print(sorted({'torch', 'captum', 'sklearn', 'kdaudit.auditing'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(runs)], capture_output=True, text=True, cwd=ROOT, env={**os.environ}
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().splitlines()[-1] == "[]"


def test_labels_of_the_plot_meet_neither_each_other_nor_the_edge(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "apps" / "dashboard"))
    from plots import NARROW, places

    # in a row on the diagonal, as findings mostly are; two of them all but in one place; one at either end
    at = [(v, v) for v in (-39.9, -18.5, -16.1, -9.5, 2.7, 2.8, 39.0)]
    names = ["age: under 30 - 45 to 59", "race: Black - white", "sex: female - male", "age: 30", "race", "x", "end"]
    placed = places(at, names, [*at, (-16.1, -7.5)], 45.0)
    assert placed[0] == "middle right"  # to the left it would leave the page
    assert placed[-1] == "middle left"
    assert sum(map(bool, placed)) >= 6
    boxes = [_label(*item) for item in zip(at, names, placed, strict=True) if item[2]]
    assert all(left >= 0 and right <= NARROW[0] for left, _, right, _ in boxes)
    for i, one in enumerate(boxes):
        for other in boxes[:i]:
            assert one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]
    assert places([(0.0, 0.0)], ["a name that is far too long for a telephone" * 2], [], 45.0) == [""]


def _label(point, name, place):
    """Left, bottom, right and top of a label in pixels of a plane that reaches from -45 to 45."""
    across, up = ((v + 45) / 90 * size for v, size in zip(point, (240, 400), strict=True))
    width, side = 5.5 * len(name), {"middle right": (1, 0), "middle left": (-1, 0), "top center": (0, 1)}
    right, above = side.get(place, (0, -1))
    x, y = across + right * (width / 2 + 11), up + above * 15
    return x - width / 2, y - 7, x + width / 2, y + 7
