"""The case of digits that are attacked, corrupted and marked: what its README says is what the audit finds."""

from pathlib import Path

import pytest

from kdaudit.cli.main import code_of
from kdaudit.run.reading import read

PLAN = Path(__file__).parents[1] / "case_studies" / "digits" / "attacks.yaml"


@pytest.mark.slow
def test_changes_made_on_the_student_turn_the_reader(tmp_path):
    assert code_of(["audit", str(PLAN), "--out", str(tmp_path), "--json"]) == 0
    (path,) = [path for path in tmp_path.glob("0*") if path.is_dir()]
    run = read(path)
    by = {(f.question, f.group): f for f in run.findings}
    attack = by["probes/attack", "made on student by PGD"]
    assert (attack.verdict, attack.transfer) == ("FAILS", "CARRIED")
    evidence = next(e for e in run.evidence.values() if e.question == "probes/attack")
    rows = {row.measure: row for row in evidence.rows if row.of == "teacher"}
    made, chance = rows["attack_success_rate"], rows["random_change_rate"].value
    assert chance.high < made.value.low
    assert made.value.high < rows["own_attack_rate"].value.low
    assert made.strangers == 3
    assert made.excess.value > 0
    # what the student suffers itself overstates what its changes do to the reader, most of all without gradients
    squares = by["probes/squares", "made on student by search"]
    for one in (attack, squares):
        assert one.difference.high < 0
    assert squares.difference.value < attack.difference.value
    blur = by["probes/corruption", "blur"]
    assert (blur.verdict, blur.transfer) == ("FAILS", "CARRIED")
    triggers = [f for f in run.findings if f.question == "probes/trigger"]
    # two patches that the student shows, and those that the reader itself brings up
    shown = [f for f in triggers if f.group.startswith("found on student")]
    assert len(shown) == 2
    assert all(f.group.startswith("brought up by the teacher") for f in triggers if f not in shown)
    assert run.account["budget"]["used"] <= 6_000
