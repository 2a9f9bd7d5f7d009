"""How large a model in an ONNX file is, and what a row costs in it, counted from the file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import prod
from pathlib import Path
from typing import Any

from kdaudit.layers import Bulk

PRODUCTS = ("Gemm", "MatMul", "Conv")
LIGHT = frozenset((
    "Add", "ArgMax", "AveragePool", "BatchNormalization", "Cast", "Clip", "Concat", "Constant", "ConstantOfShape",
    "Div", "Dropout", "Equal", "Erf", "Exp", "Expand", "Flatten", "Gather", "Gelu", "GlobalAveragePool",
    "Identity", "LayerNormalization", "LeakyRelu", "Log", "LogSoftmax", "MaxPool", "Mul", "Neg", "OneHot", "Pad",
    "Pow", "ReduceMax", "ReduceMean", "ReduceSum", "Relu", "Reshape", "Shape", "Sigmoid", "Slice", "Softmax",
    "Softplus", "Split", "Sqrt", "Squeeze", "Sub", "Tanh", "Tile", "Transpose", "Unsqueeze", "Where",
))  # fmt: skip
"""Nodes without multiply-adds that count: those of our own networks are left out alike."""


def bulk(path: Path, outside: list[Path]) -> Bulk:
    """Count weights, bytes and multiply-adds of a file that can be read.

    Parameters
    ----------
    path : Path
    outside : list of Path
        Further files of weights.
    """
    import onnx

    model = onnx.load(path, load_external_data=False)
    weights = sum(prod(tensor.dims) for tensor in model.graph.initializer)
    stored = sum(file.stat().st_size for file in (path, *outside))
    return Bulk(weights, stored, *_multiply_adds(model))


def _multiply_adds(model: Any) -> tuple[int | None, str]:  # noqa: ANN401 - onnx has no types
    """Return those of one row, or None and why they are not counted."""
    import onnx

    other = sorted({node.op_type for node in model.graph.node} - LIGHT - set(PRODUCTS))
    if other:
        return None, f"the operations of {', '.join(other)} cannot be counted"
    try:
        shapes = dict(_shapes(onnx.shape_inference.infer_shapes(model).graph))
    except (onnx.shape_inference.InferenceError, RuntimeError, ValueError) as error:
        return None, f"the shapes inside the file cannot be told: {str(error).splitlines()[0]}"
    total = 0
    for node in model.graph.node:
        if node.op_type not in PRODUCTS:
            continue
        taken = _products(node, shapes)
        if taken is None:
            return None, f"the shapes around {node.name or node.op_type} are not known from the file"
        total += taken
    return total, ""


def _products(node: Any, shapes: Mapping[str, tuple[int, ...]]) -> int | None:  # noqa: ANN401 - onnx has no types
    """Return the multiply-adds of a node for one row; None where a shape is not known."""
    given, weights, out = (shapes.get(name) for name in (*node.input[:2], node.output[0]))
    if not given or not weights or not out or 0 in (*out[1:], *weights):
        return None
    if node.op_type == "Conv":
        # weights are (out, in / groups, sides ...)
        return prod(out[1:]) * prod(weights[1:])
    turned = any(a.name == "transB" and a.i for a in node.attribute)
    inner = weights[-1] if turned or len(weights) == 1 else weights[-2]
    return prod(out[1:]) * inner


def _shapes(graph: Any) -> Iterator[tuple[str, tuple[int, ...]]]:  # noqa: ANN401 - onnx has no types
    """Yield each tensor's name and shape; 0 stands for a side that is not known."""
    for tensor in graph.initializer:
        yield tensor.name, tuple(tensor.dims)
    for value in (*graph.input, *graph.value_info, *graph.output):
        yield value.name, tuple(side.dim_value for side in value.type.tensor_type.shape.dim)
