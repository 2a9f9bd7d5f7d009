from types import SimpleNamespace

from kdaudit.report.charges import privacy, shown_in_place, standing
from kdaudit.report.document import Note, Table

LOST = {
    "seat": "teacher",
    "name": "clinics",
    "unit": "client",
    "neighbours": "replaced",
    "epsilon": 4.2345,
    "delta": 1e-5,
    "clip": 3.0,
    "noise": 40.0,
    "releases": 1220,
    "clients": 12,
    "protects": "whether a client took part; not a person inside a client's data",
    "added_by": "whoever holds the secret",
}


def run(account=None, cards=None):
    return SimpleNamespace(account=account or {}, cards=cards or {})


def test_a_run_that_cost_nothing_beside_questions_says_nothing():
    assert privacy(run()) == shown_in_place(run()) == standing(run()) == ()


def test_privacy_is_told_with_its_unit_and_what_it_does_not_protect():
    blocks = privacy(run({"privacy": [LOST, {**LOST, "seat": "stranger", "epsilon": None}]}))
    (table,) = [b for b in blocks if isinstance(b, Table)]
    assert table.rows[0] == (
        "teacher · clinics", "12", "1,220", "4.23", "1e-05", "40", "another client in the place of one"
    )  # fmt: skip
    assert table.rows[1][3] == "none is kept"
    texts = [b.text for b in blocks if not isinstance(b, Table)]
    assert sum("not a person inside a client's data" in text for text in texts) == 1
    more = privacy(run({"privacy": [{**LOST, "in_all": {"releases": 2000, "epsilon": 5.5}}]}))
    assert "2,000 rows of clinics were released: epsilon 5.5" in more[-1].text


def test_rows_that_were_shown_in_place_are_told():
    cards = {"unseen": {"notes": {"made": 28800}}, "student": {"notes": {}}}
    assert "unseen 28,800" in shown_in_place(run(cards=cards))[0].text


def test_what_a_proxy_without_data_is_evidence_for_is_not_to_be_missed():
    assert standing(run({"standing": {"unseen": "Not auditable."}})) == (Note("Not auditable."),)
