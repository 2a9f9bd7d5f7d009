"""Workbenches: a body is measured once, for a proxy and all its controls; nothing is left of the making."""

from types import SimpleNamespace

import numpy as np

from kdaudit.auditing import benches
from kdaudit.auditing.items import ProxyItem
from kdaudit.interval import Interval, unknown
from kdaudit.layers import Layers
from kdaudit.question import Workbench


class Recipe:
    """Gives the workbench away."""

    def at(self, workbench: Workbench) -> Workbench:
        return workbench


def body(units, digest="a"):
    return SimpleNamespace(form=Layers("mlp", {"hidden": [units]}, units, {}), identity=SimpleNamespace(digest=digest))


def test_a_control_is_held_to_what_its_proxy_was_held_to(tmp_path, monkeypatch):
    asked = []

    def meter(subject, samples):
        asked.append(subject.form.parameters)
        return unknown("busy") if subject.form.parameters == 3 else Interval(len(asked), 0.0, 9.0, 5)

    monkeypatch.setattr(benches, "METERS", {"latency": meter})
    item, folder = ProxyItem("found", "search", Recipe()), tmp_path / "proxies" / "found"
    benches_of = [benches.at(item, place) for place in (folder, folder / "control", folder / "control-2")]
    told = [bench.meters["latency"](body(n), np.arange(3)) for bench in benches_of for n in (2, 3)]
    assert asked == [2, 3] and (folder / "measured.json").is_file()
    assert all(one.value == 1 for one in told[::2]) and all(one.method == "busy" for one in told[1::2])
    assert [bench.folder.parent.name for bench in benches_of] == ["found", "control", "control-2"]


def test_what_was_made_with_is_cleared_away_and_most_recipes_need_nothing(tmp_path):
    recipe = SimpleNamespace()
    assert benches.at(ProxyItem("tree", "tree", recipe), tmp_path) is recipe
    (tmp_path / "making").mkdir()
    (tmp_path / "making" / "search.sqlite").write_text("x")
    benches.clear(tmp_path)
    benches.clear(tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_plan_that_measures_is_told_so(tmp_path):
    from kdaudit.auditing.audits import read_plan

    (tmp_path / "audit.yaml").write_text(PLAN)
    told = benches.measuring(read_plan(tmp_path / "audit.yaml"))
    assert told == ["proxies/quick", "compare/timed"]


PLAN = """
title: What does it take?
samples: {set: acs_income, parts: {teacher: 90, fit: 90, select: 60, judge: 60, pool: 60}}
teacher: {name: scorer, kind: trained, part: teacher}
behaviours: [{name: above, outputs: [above]}]
proxies:
  - {name: quick, kind: search, latency: 0.5}
  - {name: counted, kind: search, parameters: 500}
compare:
  - {name: counted-too, kind: cost, parameters: 500}
  - {name: timed, kind: cost, measure: [energy]}
probes:
  - {name: sex, kind: parity, field: sex, reference: male, questions: 40}
budget: {questions: 500}
"""
