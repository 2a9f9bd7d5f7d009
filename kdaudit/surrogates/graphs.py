"""Rules as an ONNX graph of plain operators.

As in `kdaudit.evaluation`: the value of a field, or of a weighted sum, has a code; a table says which rules the code
leaves open; what all tables leave open holds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kdaudit.domain import Category, Domain, Real
from kdaudit.errors import InvalidInput
from kdaudit.evaluation import Openings, openings
from kdaudit.rules import Rules, Term

OPSETS = {"": 17, "ai.onnx.ml": 2}
OUTPUT, DECISION = "score", "decision"


@dataclass
class _Graph:
    """Nodes and constants as they are added; each node's only result is called by its name."""

    onnx: Any
    nodes: list[Any] = field(default_factory=list)
    constants: list[Any] = field(default_factory=list)

    def constant(self, values: NDArray[Any]) -> str:
        name = f"constant {len(self.constants)}"
        self.constants.append(self.onnx.numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def node(self, operator: str, *inputs: str, domain: str = "", name: str = "", **attributes: Any) -> str:  # noqa: ANN401 - as ONNX has them
        out = name or f"{operator} {len(self.nodes)}"
        self.nodes.append(self.onnx.helper.make_node(operator, list(inputs), [out], domain=domain, **attributes))
        return out


def graph_of(rules: Rules, domain: Domain, above: float | None = None) -> bytes:
    """Return the model; see `kdaudit.surrogates.exports.to_onnx`."""
    try:
        import onnx
    except ImportError as error:
        raise InvalidInput("ONNX files need more packages: pip install kdaudit[onnx]") from error
    graph = _Graph(onnx)
    outside = [_outside(graph, domain, name) for name in rules.fields]
    tables = [_opened(graph, part, domain) for part in openings(rules.rules, domain)]
    tables = tables or [_every(graph, domain, len(rules.rules))]
    held = tables[0]
    for table in tables[1:]:
        held = graph.node("Mul", held, table)
    score = _answered(graph, rules, held)
    some = graph.node("ReduceMax", held, axes=[1], keepdims=1)
    bad = graph.node("Less", some, graph.constant(np.array(0.5, dtype=np.float32)))
    for name in outside:
        bad = graph.node("Or", bad, name)
    graph.node("Where", bad, graph.constant(np.array(np.nan)), score, name=OUTPUT)
    if above is not None:
        _decided(graph, rules, score, bad, above)
    return _model(graph, rules, domain, decides=above is not None)


def _decided(graph: _Graph, rules: Rules, score: str, bad: str, above: float) -> None:
    """Add which output is decided for, shape (rows,); -1 where there is no answer."""
    if rules.family == "set":
        score = graph.node("Clip", score, graph.constant(np.array(0.0)), graph.constant(np.array(1.0)))
    if len(rules.outputs) == 1:
        higher = graph.node("Greater", score, graph.constant(np.array([[above]])))
        chosen = graph.node("Cast", higher, to=graph.onnx.TensorProto.INT64)
    else:
        chosen = graph.node("ArgMax", score, axis=1, keepdims=1)
    known = graph.node("Where", bad, graph.constant(np.array([[-1]], dtype=np.int64)), chosen)
    graph.node("Reshape", known, graph.constant(np.array([-1])), name=DECISION)


def _model(graph: _Graph, rules: Rules, domain: Domain, *, decides: bool) -> bytes:
    helper, kinds = graph.onnx.helper, graph.onnx.TensorProto
    inputs = []
    for item in domain.fields:
        if isinstance(item, Real | Category):
            kind = kinds.STRING if isinstance(item, Category) else kinds.DOUBLE
            inputs.append(helper.make_tensor_value_info(item.name, kind, ["rows", 1]))
    outputs = [helper.make_tensor_value_info(OUTPUT, kinds.DOUBLE, ["rows", len(rules.outputs)])]
    if decides:
        outputs.append(helper.make_tensor_value_info(DECISION, kinds.INT64, ["rows"]))
    body = helper.make_graph(graph.nodes, "rules", inputs, outputs, graph.constants)
    opsets = [helper.make_opsetid(name, version) for name, version in OPSETS.items()]
    model = helper.make_model(body, opset_imports=opsets, producer_name="kdaudit", ir_version=9)
    graph.onnx.checker.check_model(model)
    out: bytes = model.SerializeToString(deterministic=True)
    return out


def _answered(graph: _Graph, rules: Rules, held: str) -> str:
    scores = graph.constant(np.array([rule.score for rule in rules.rules], dtype=np.float64))
    if rules.family == "set":
        return graph.node("MatMul", graph.node("Cast", held, to=graph.onnx.TensorProto.DOUBLE), scores)
    return graph.node("Gather", scores, graph.node("ArgMax", held, axis=1, keepdims=0))


def _opened(graph: _Graph, part: Openings, domain: Domain) -> str:
    """Return which rules the field or sum leaves open, shape (rows, rules), as 0 and 1."""
    table = part.open.astype(np.float32)
    if part.cuts is None:
        item = domain.category(part.field)
        codes = _coded(graph, item, np.append(np.arange(len(item.levels)), [len(item.levels)]))
    else:
        value = _summed(graph, part.terms, domain) if part.terms else part.field
        higher = graph.node("Greater", value, graph.constant(part.cuts[None, :]))
        counted = graph.node("Cast", higher, to=graph.onnx.TensorProto.INT64)
        below = graph.node("ReduceSum", counted, graph.constant(np.array([1])), keepdims=1)
        missing = graph.constant(np.array(len(part.cuts) + 1))
        codes = graph.node("Where", graph.node("IsNaN", value), missing, below)
    flat = graph.node("Reshape", codes, graph.constant(np.array([-1])))
    return graph.node("Gather", graph.constant(table), flat)


def _every(graph: _Graph, domain: Domain, rules: int) -> str:
    """Return ones of shape (rows, rules): no rule tests anything."""
    rows = graph.node("Slice", graph.node("Shape", domain.names[0]), *(graph.constant(np.array([i])) for i in (0, 1)))
    shape = graph.node("Concat", rows, graph.constant(np.array([rules])), axis=0)
    return graph.node("Expand", graph.constant(np.ones((1, 1), dtype=np.float32)), shape)


def _coded(graph: _Graph, item: Category, codes: NDArray[Any]) -> str:
    """Return a code a row: one of each level, then that of a missing one, which an unknown level has too."""
    if "" in item.levels:
        raise InvalidInput(f"{item.name} has a level that is the empty text, which stands for a missing one in ONNX")
    return graph.node(
        "LabelEncoder",
        item.name,
        domain="ai.onnx.ml",
        keys_strings=list(item.levels),
        values_int64s=[int(code) for code in codes[:-1]],
        default_int64=int(codes[-1]),
    )


def _summed(graph: _Graph, terms: tuple[Term, ...], domain: Domain) -> str:
    total = ""
    for term in terms:
        item = domain[term.field]
        if isinstance(item, Category):
            ranks = range(len(item.levels)) if term.levels is None else [x in term.levels for x in item.levels]
            worth = np.append(term.weight * np.array(ranks, dtype=np.float64), np.nan)
            codes = _coded(graph, item, np.arange(len(item.levels) + 1))
            value = graph.node("Gather", graph.constant(worth), codes)
        else:
            value = graph.node("Mul", item.name, graph.constant(np.array(term.weight, dtype=np.float64)))
        total = graph.node("Add", total, value) if total else value
    return total


def _outside(graph: _Graph, domain: Domain, name: str) -> str:
    """Return which rows have a level of the field that it does not have, or lack a value that it must have."""
    item = domain[name]
    if isinstance(item, Category):
        known = [*item.levels, ""] if item.missing else list(item.levels)
        found = graph.node(
            "LabelEncoder",
            name,
            domain="ai.onnx.ml",
            keys_strings=known,
            values_int64s=[0] * len(known),
            default_int64=1,
        )
        return graph.node("Cast", found, to=graph.onnx.TensorProto.BOOL)
    absent = graph.node("IsNaN", name)
    return graph.node("And", absent, graph.constant(np.array(not item.missing)))
