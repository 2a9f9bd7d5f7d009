"""What a plan can name: kind -> where its recipe is, as text, so that naming a kind imports nothing else.

To add a kind: one file, one test, one line here.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

TEACHERS = {
    "trained": "kdaudit.teachers.trained:Trained",
    "torch": "kdaudit.teachers.torch_files:Torch",
    "onnx": "kdaudit.teachers.onnx_files:Onnx",
    "huggingface": "kdaudit.teachers.huggingface:HuggingFace",
    "recorded": "kdaudit.teachers.recorded:Recorded",
    "python": "kdaudit.teachers.python_files:Python",
    "ensemble": "kdaudit.teachers.ensembles:Ensembled",
    "consensus": "kdaudit.teachers.federated:Federated",
}
PROXIES = {
    "student": "kdaudit.distillation.students:Student",
    "chain": "kdaudit.distillation.chain:Chain",
    "data_free": "kdaudit.distillation.dataless:DataFree",
    "growing": "kdaudit.distillation.growing:Growing",
    "search": "kdaudit.distillation.searching:Searching",
    "existing": "kdaudit.teachers.existing:Existing",
    "tree": "kdaudit.surrogates.trees:Tree",
    "rule_list": "kdaudit.surrogates.lists:RuleList",
    "rule_set": "kdaudit.surrogates.votes:RuleSet",
    "additive": "kdaudit.surrogates.additive:Additive",
    "contrast_tree": "kdaudit.surrogates.contrasts:ContrastTree",
    "departure_tree": "kdaudit.surrogates.departures:DepartureTree",
}
COMPARE = {
    "fidelity": "kdaudit.compare.fidelities:Fidelity",
    "attribution": "kdaudit.compare.attributions:Attribution",
    "boundary": "kdaudit.compare.boundaries:Boundary",
    "mining": "kdaudit.compare.minings:Mining",
    "representation": "kdaudit.compare.representations:Representation",
    "attention": "kdaudit.compare.attentions:Attention",
    "rulebook": "kdaudit.compare.rulebooks:Rulebook",
    "differences": "kdaudit.compare.differences:Differences",
    "departures": "kdaudit.compare.departures:Departures",
    "cost": "kdaudit.cost.questions:Cost",
}
PROBES = {
    "parity": "kdaudit.probe.groups:Parity",
    "equalized_odds": "kdaudit.probe.odds:EqualizedOdds",
    "calibration": "kdaudit.probe.calibrations:Calibration",
    "slices": "kdaudit.probe.slices:Slices",
    "flip": "kdaudit.probe.counterfactuals:Flip",
    "situation": "kdaudit.probe.situations:Situation",
    "attack": "kdaudit.probe.attacks:Attack",
    "corruption": "kdaudit.probe.corruptions:Corrupted",
    "trigger": "kdaudit.probe.triggers:Trigger",
    "out_of_domain": "kdaudit.probe.outside:Outside",
    "templates": "kdaudit.probe.templates:Templates",
}
TABLES = {"teacher": TEACHERS, "proxies": PROXIES, "compare": COMPARE, "probes": PROBES}
"""Section of the plan -> its kinds."""


def resolve(address: str) -> Any:  # noqa: ANN401 - a class or function of any room
    """Return what ``"module:Name"`` stands for."""
    module, _, name = address.partition(":")
    return getattr(import_module(module), name)
