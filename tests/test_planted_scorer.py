"""The planted scorer: what the audit says of it is what was planted."""

import importlib.util
from pathlib import Path

import pytest

from kdaudit.auditing.audits import read_plan
from kdaudit.auditing.steps import load_parts
from kdaudit.cli.main import code_of
from kdaudit.run.reading import read

STUDY = Path(__file__).parents[1] / "case_studies" / "planted"
LEVELS = {"probes/race-alone": ("race", "Black", "white"), "probes/sex-alone": ("sex", "female", "male")}
LEVELS["probes/clean"] = ("race", "Asian", "white")


def truths():
    spec = importlib.util.spec_from_file_location("planted_scorer", STUDY / "teacher.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    pool = load_parts(read_plan(STUDY / "audit.yaml"), None)["pool"]
    out = {}
    for question, (field, level, other) in LEVELS.items():
        up, down = (module.planted(pool.setting(field, one).frame()) > 0.5 for one in (level, other))
        out[question, "counterfactual_flip_rate"] = float((up != down).mean())
        out[question, "counterfactual_shift"] = float(up.mean() - down.mean())
    return out


@pytest.mark.slow
def test_the_audit_finds_what_was_planted(tmp_path):
    assert code_of(["audit", str(STUDY / "audit.yaml"), "--allow-code", "--out", str(tmp_path), "--json"]) == 0
    (path,) = [path for path in tmp_path.glob("0*") if path.is_dir()]
    found = {
        (f.question, f.measure, f.proxy_name): f for f in read(path).findings if f.question in LEVELS and f.measure
    }
    true = truths()
    assert len(found) == 2 * 3 * len(LEVELS)
    for (question, measure, _), one in found.items():
        truth = true[question, measure]
        assert one.teacher.low <= truth <= one.teacher.high
        if str(one.verdict) != "UNDECIDED":
            assert str(one.verdict) == ("FAILS" if abs(truth) > one.margin else "HOLDS")
    turned = {name: str(found["probes/sex-alone", "counterfactual_flip_rate", name].transfer) for name in PROXIES}
    assert turned == {"student": "CARRIED", "linear": "MASKED", "tree": "MASKED"}


PROXIES = ("student", "linear", "tree")
