"""Models made elsewhere in the proxy's seat, of formats other than texts."""

from __future__ import annotations

import json

import numpy as np
import pytest

from kdaudit.auditing.casting import load, save
from kdaudit.encoding import Encoding
from kdaudit.errors import InvalidInput, UnsafeFile
from kdaudit.networks.architectures import build
from kdaudit.networks.files import save as write
from kdaudit.networks.network import Network
from kdaudit.signal import SCORE
from kdaudit.teachers.existing import Existing, fetched

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
helper = onnx.helper


@pytest.fixture
def filed(tmp_path):
    weights = np.random.default_rng(0).normal(size=(8, 1)).astype(np.float32)
    graph = helper.make_graph(
        [helper.make_node("Gemm", ["x", "w"], ["l"]), helper.make_node("Sigmoid", ["l"], ["s"])],
        "model",
        [helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, ["n", 8])],
        [helper.make_tensor_value_info("s", onnx.TensorProto.FLOAT, ["n", 1])],
        [onnx.numpy_helper.from_array(weights, "w")],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.save(made, str(tmp_path / "small.onnx"))
    return tmp_path / "small.onnx"


def _made(recipe, setting, teacher):
    return recipe.within(setting).make(setting.behaviour, teacher, {}, None, np.random.default_rng(0))


@pytest.fixture
def teacher(rows):
    encoding = Encoding.fitted(rows)
    return Network(
        "teacher", build("mlp", {"inputs": encoding.width, "outputs": 1, "hidden": [4]}, 0), encoding, ("yes",)
    )


def test_a_file_is_kept_in_the_run_and_answers_the_same(filed, make_setting, teacher, rows, tmp_path):
    found = _made(Existing("small.onnx", "onnx"), make_setting(), teacher)
    files = save(found, tmp_path / "kept")
    assert {file.name for file in files} == {"found.json", "model.onnx"}
    filed.unlink()
    again = load(tmp_path / "kept")
    assert again.outputs == found.outputs and again.form is None and again.scale == "probability"
    assert np.array_equal(again.answer(rows, {SCORE}).score, found.answer(rows, {SCORE}).score)
    told = json.loads((tmp_path / "kept" / "found.json").read_text())
    told["recipe"]["path"] = "../small.onnx"
    (tmp_path / "kept" / "found.json").write_text(json.dumps(told))
    with pytest.raises(UnsafeFile, match="its own folder"):
        fetched(tmp_path / "kept")
    (tmp_path / "kept" / "found.json").write_text("{}")
    with pytest.raises(InvalidInput, match="does not describe a model"):
        fetched(tmp_path / "kept")


def test_a_network_of_ours_is_found_too(make_setting, teacher, rows, tmp_path):
    other = Network("other", build("mlp", teacher.arguments | {"hidden": [3]}, 1), teacher.encoding, ("yes",))
    write(other, tmp_path / "other")
    write(teacher, tmp_path / "same")
    found = _made(Existing("other", "torch"), make_setting(), teacher)
    assert found.identity.digest == other.identity.digest
    assert [one.identity.digest for one in Existing("other", "torch", ("same",)).within(make_setting()).rivals()] == [
        teacher.identity.digest
    ]
    with pytest.raises(InvalidInput, match="is the teacher itself"):
        _made(Existing("same", "torch"), make_setting(), teacher)
    with pytest.raises(InvalidInput, match="no was expected"):
        _made(Existing("other", "torch"), make_setting(outputs=("no",)), teacher)


def test_keys_of_another_format_are_refused():
    with pytest.raises(InvalidInput, match="of folders of Hugging Face"):
        Existing("x", "torch", length=12)
    with pytest.raises(InvalidInput, match="gives is of ONNX"):
        Existing("x", "torch", gives="logits")
