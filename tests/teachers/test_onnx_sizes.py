"""What a file of another engine holds and takes, counted by hand beside."""

import numpy as np
import pytest

from kdaudit.cost.energy import modelled
from kdaudit.cost.latency import passing
from kdaudit.cost.sizes import size
from kdaudit.teachers.existing import Existing
from kdaudit.teachers.onnx_sizes import bulk

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
helper, FLOAT = onnx.helper, onnx.TensorProto.FLOAT


def write(path, nodes, weights, given, out):
    graph = helper.make_graph(
        nodes,
        "model",
        [helper.make_tensor_value_info("x", FLOAT, given)],
        [helper.make_tensor_value_info("y", FLOAT, out)],
        [onnx.numpy_helper.from_array(value.astype(np.float32), name) for name, value in weights.items()],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.save(made, str(path))
    return path


def test_a_perceptrons_products_are_those_of_its_matrices(tmp_path):
    weights = {"w": np.ones((8, 5)), "b": np.ones(5), "v": np.ones((2, 5))}
    nodes = [
        helper.make_node("Gemm", ["x", "w", "b"], ["h"]),
        helper.make_node("Relu", ["h"], ["r"]),
        helper.make_node("Gemm", ["r", "v"], ["y"], transB=1),
    ]
    path = write(tmp_path / "m.onnx", nodes, weights, ["n", 8], ["n", 2])
    found = bulk(path, [])
    assert (found.parameters, found.multiply_adds) == (8 * 5 + 5 + 5 * 2, 8 * 5 + 5 * 2)
    assert found.stored_bytes == path.stat().st_size


def test_a_convolution_counts_every_place_of_its_kernel(tmp_path):
    weights = {"k": np.ones((6, 2, 3, 3)), "w": np.ones((6 * 16, 3))}
    nodes = [
        helper.make_node("Conv", ["x", "k"], ["h"], pads=[1, 1, 1, 1], group=2),
        helper.make_node("Flatten", ["h"], ["f"]),
        helper.make_node("MatMul", ["f", "w"], ["y"]),
    ]
    path = write(tmp_path / "m.onnx", nodes, weights, ["n", 4, 4, 4], ["n", 3])
    assert bulk(path, []).multiply_adds == 6 * 4 * 4 * 2 * 3 * 3 + 6 * 16 * 3


def test_what_cannot_be_counted_says_why(tmp_path):
    einsum = [helper.make_node("Einsum", ["x", "w"], ["y"], equation="ni,io->no")]
    path = write(tmp_path / "m.onnx", einsum, {"w": np.ones((3, 2))}, ["n", 3], ["n", 2])
    found = bulk(path, [])
    assert (found.parameters, found.multiply_adds) == (6, None)
    assert found.uncounted == "the operations of Einsum cannot be counted"


@pytest.mark.parametrize("first", ["n", 64])
def test_a_file_is_sized_and_timed_as_a_row_of_it_runs(tmp_path, make_setting, rows, first):
    nodes = [helper.make_node("Gemm", ["x", "w"], ["l"]), helper.make_node("Sigmoid", ["l"], ["y"])]
    write(tmp_path / "m.onnx", nodes, {"w": np.zeros((8, 1))}, [first, 8], [first, 1])
    found = Existing("m.onnx", "onnx").within(make_setting())._opened("m.onnx", "")
    assert len(found.passed(rows.take([0]))) == (1 if first == "n" else 64)
    counted = size(found, rows)
    assert (counted.parameters.value, counted.operations.value) == (8, 16)
    assert modelled(counted).joule == pytest.approx(8 * 4.6e-12)
    assert len(passing(found, rows.take([0]))()) == (1 if first == "n" else 64)
