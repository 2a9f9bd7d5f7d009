"""The case study of digits read by rules does what its text says."""

from pathlib import Path

import pytest

from kdaudit.auditing.audits import audit
from kdaudit.report.composition import compose
from kdaudit.report.markdown import render
from kdaudit.run.reading import read

PLAN = Path(__file__).parents[1] / "case_studies" / "digits" / "rules.yaml"


@pytest.mark.slow
def test_rules_say_where_the_tree_of_patches_is_wrong(tmp_path):
    run = read(audit(PLAN, out=tmp_path).path)
    wrong = [f for f in run.findings if f.proxy_name == "beyond-patches"]
    assert len(wrong) >= 2
    # where the tree says that the reader often decides otherwise, it does so on rows that neither tree was made from
    assert [f.verdict for f in wrong[:2]] == ["FAILS", "FAILS"]
    assert max(f.teacher.value for f in wrong) > 1.5 * min(f.teacher.value for f in wrong)
    assert any(f.transfer == "CARRIED" for f in wrong)
    assert [f.verdict for f in run.findings if f.proxy_name == "new-threes"].count("FAILS") == 0
    text = render(compose(run)).decode()
    assert "mean brightness of 16 patches" in text
    assert "Drawn again 4 times" in text
    assert run.account["budget"]["used"] <= 6_350
