import json
import math
from dataclasses import replace

from kdaudit.evidence import Row
from kdaudit.finding import Finding
from kdaudit.report import html, markdown
from kdaudit.report import json as machine
from kdaudit.report.believing import drawn_numbers, remark, scale
from kdaudit.report.composition import compose
from kdaudit.report.document import Fold, Heading, Paragraph, Strips, TransferTable


def walk(blocks):
    for block in blocks:
        yield block
        if isinstance(block, Fold):
            yield from walk(block.blocks)


def test_the_same_run_gives_the_same_bytes_wherever_it_lies(made, tmp_path):
    one, other = made(), made(tmp_path / "01JDF0Z9Q0V6M3T5K8W2X4Y7RB")
    for format_ in (html, markdown, machine):
        assert format_.render(compose(one)) == format_.render(compose(other))


def test_every_row_of_strip_and_transfer_evidence_is_drawn(run):
    drawn = [s.row for b in walk(compose(run).blocks) if isinstance(b, Strips) for s in b.strips]
    for evidence in run.evidence.values():
        if evidence.shows in ("strip", "transfer"):
            assert all(row in drawn for row in evidence.rows)


def test_every_claim_about_the_teacher_is_in_a_table_with_each_proxy(run):
    tables = [b for b in walk(compose(run).blocks) if isinstance(b, TransferTable)]
    shown = {(c.claim, s.proxy_name) for t in tables for c in t.contrasts for s in c.shown}
    assert shown == {(f.claim, f.proxy_name) for f in run.findings if f.transfer != "NOT APPLICABLE"}


def test_all_sections_are_there_and_empty_ones_are_not(run):
    titles = [b.text for b in compose(run).blocks if isinstance(b, Heading) and b.level == 2]
    assert titles == [
        "How far the proxies can be believed",
        "Bias: what the proxies show, and what the teacher does",
        "Does what the proxies show carry over?",
        "The rules, whole",
        "What this cost",
        "What was not tested",
        "How it was done",
        "Repeat it",
        "Words",
    ]
    bare = [b.text for b in compose(replace(run, evidence={}, rules={})).blocks if isinstance(b, Heading)]
    assert "The rules, whole" not in bare and "How far the proxies can be believed" not in bare


def test_a_run_that_found_nothing_yet_is_told_as_undecided(run):
    empty = replace(run, account={}, findings=(), evidence={}, cards={}, rules={}, environment={}, plan={})
    page = html.render(compose(empty)).decode()
    assert "UNDECIDED" in page and "no claim about the teacher was tested" in page
    assert "Of 0 claims" not in page


def test_every_scale_holds_all_that_is_drawn_on_it(run):
    for block in walk(compose(run).blocks):
        if isinstance(block, Strips):
            low, high = block.scale
            numbers = [x for s in block.strips for x in drawn_numbers(s.row)]
            assert low < high and all(low - 1e-9 <= x <= high + 1e-9 for x in numbers)


def test_a_narrow_scale_is_a_part_of_the_whole_one(run):
    rows = run.evidence["compare.fidelity.student"].rows[:1]
    low, high = scale(rows)
    assert 0.0 < low < 0.917 and 0.973 < high <= 1.0


def test_a_distance_whose_interval_holds_nothing_is_said_in_words(run):
    near = run.evidence["compare.fidelity.student"].rows[1]
    assert near.excess.low < 0 < near.excess.high
    assert remark(near) == "not shown to be closer to the teacher than a stranger"
    assert "not shown to be closer to the teacher than a stranger" in html.render(compose(run)).decode()
    assert remark(run.evidence["compare.fidelity.student"].rows[0]) == ""


def test_rules_are_printed_whole_with_the_teachers_rate(run):
    page = html.render(compose(run)).decode()
    for text in (
        "hours per week at most 33",
        "schooling at least bachelor&#39;s degree",
        "60.0 % (55.0 to 64.0; n 600)",
    ):
        assert text in page
    assert "Over all these rows the teacher says yes in 34.0 % (32.0 to 36.0; n 3,000)." in page
    assert page.count("above ") >= len(run.rules["tree"].rules)


def test_rules_without_measured_rates_say_so(run):
    evidence = {k: e for k, e in run.evidence.items() if e.shows != "rules"}
    page = html.render(compose(replace(run, evidence=evidence))).decode()
    assert "rate in each rule was not measured" in page and "not asked" in page


def test_machines_get_everything_back(run):
    data = json.loads(machine.render(compose(run)), parse_constant=lambda name: 1 / 0)
    assert data["schema"] == 1 and data["verdict"] == "FAILS" and data["title"] == run.account["title"]
    assert [Finding.from_data(f).claim for f in data["findings"]] == [f.claim for f in run.findings]
    for stem, evidence in run.evidence.items():
        rows = data["evidence"][stem]["rows"]
        assert len(rows) == len(evidence.rows)
        for row, kept in zip(rows, evidence.rows, strict=True):
            back = Row.from_flat({k: math.nan if v is None else v for k, v in row.items()})
            assert (back.value.value, back.group, back.of) == (kept.value.value, kept.group, kept.of)


def test_json_has_sorted_keys_and_no_byte_beyond_ascii(run):
    text = machine.render(compose(run)).decode("ascii")
    assert text == json.dumps(json.loads(text), indent=1, sort_keys=True) + "\n"


def test_failed_rows_and_the_search_for_the_worst_slice_are_told(run):
    page = html.render(compose(run)).decode()
    assert "Rows that the teacher failed to answer: 2." in page and "Rows that the proxy failed" not in page
    assert "The worst slice was found among 480: age at most 30 (searched on one half)." in page


def test_what_a_claim_rests_on_is_in_sight(run):
    blocks = compose(run).blocks
    open_rows = {(s.row.measure, s.label) for b in blocks if isinstance(b, Strips) for s in b.strips}
    claimed = {(f.measure, f.proxy_name) for f in run.findings if f.transfer == "NOT APPLICABLE"}
    assert claimed and claimed <= open_rows
    assert ("kl", "student") not in open_rows
    assert any(isinstance(b, Fold) and b.summary == "1 further measure: divergence of the scores" for b in blocks)


def test_where_nothing_is_claimed_all_is_in_sight(run):
    bare = replace(run, findings=())
    open_rows = {s.row.measure for b in compose(bare).blocks if isinstance(b, Strips) for s in b.strips}
    assert {"agreement", "kl"} <= open_rows


def test_two_questions_of_one_heading_are_told_apart_by_their_names(run):
    one = run.evidence["compare.fidelity.student"]
    other = replace(one, question="compare/again")
    both = replace(run, evidence={**run.evidence, "compare.again.student": other})
    titles = [b.text for b in compose(both).blocks if isinstance(b, Heading) and b.level == 3]
    asked = one.title
    assert f"{asked} (fidelity)" in titles and f"{asked} (again)" in titles and asked not in titles
    assert asked in [b.text for b in compose(run).blocks if isinstance(b, Heading)]


def test_notes_of_probes_stand_beside_their_numbers_and_many_on_demand(run):
    def page(notes):
        noted = {
            name: replace(one, context={**one.context, "sentences": notes}) if one.shows == "transfer" else one
            for name, one in run.evidence.items()
        }
        return compose(replace(run, evidence=noted)).blocks

    assert [b.text for b in page(["Told once."]) if isinstance(b, Paragraph)].count("Told once.") == 1
    many = page([f"Note {i}." for i in range(9)])
    assert any(isinstance(b, Fold) and b.summary == "9 notes on these questions" for b in many)


def test_long_reasons_for_no_number_stand_below_the_name_of_the_measure(run):
    why = "how alike two teachers are that were trained again is the correlation itself"
    evidence = {
        name: replace(one, rows=tuple(replace(row, ceiling=None, no_ceiling=why) for row in one.rows))
        for name, one in run.evidence.items()
        if one.question == "compare/fidelity"
    }
    page = html.render(compose(replace(run, evidence=evidence))).decode()
    assert f"<small>No ceiling: {why}.</small></caption>" in page and f"<small>{why}</small>" not in page


def test_a_report_cut_for_a_pull_request_keeps_the_rules(run, monkeypatch):
    monkeypatch.setattr(markdown, "LONGEST", 10)
    text = markdown.render(compose(run)).decode()
    assert "hours per week at most 33" in text and "in report.html" in text
