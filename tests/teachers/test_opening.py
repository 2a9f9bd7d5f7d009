import pickle

import numpy as np
import pytest

import kdaudit as kd
from kdaudit.encoding import Encoding
from kdaudit.errors import InvalidInput, UnsafeFile
from kdaudit.networks.architectures import build
from kdaudit.networks.files import save
from kdaudit.networks.network import Network
from kdaudit.signal import SCORE


def test_a_torch_folder_is_loaded_by_its_address(rows, tmp_path):
    encoding = Encoding.fitted(rows)
    network = Network("n", build("mlp", {"inputs": encoding.width, "outputs": 1}, 0), encoding, ("yes",))
    save(network, tmp_path / "model")
    assert kd.teachers.load(f"torch:{tmp_path / 'model'}").identity == network.identity


def test_an_onnx_file_is_loaded_with_domain_and_outputs(rows, domain, tmp_path):
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    graph = helper.make_graph(
        [helper.make_node("ReduceMean", ["x"], ["s"], axes=[1], keepdims=1)],
        "model",
        [helper.make_tensor_value_info("x", kind, ["n", 8])],
        [helper.make_tensor_value_info("s", kind, ["n", 1])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.save_model(model, tmp_path / "model.onnx")
    address = f"onnx:{tmp_path / 'model.onnx'}"
    subject = kd.teachers.load(address, domain=domain, outputs=("yes",))
    mean = (rows.columns["age"] + rows.columns["hours"] + 2) / 8
    np.testing.assert_allclose(subject.answer(rows, [SCORE]).score[:, 0], mean, rtol=1e-5)
    with pytest.raises(InvalidInput, match=r"give domain=\.\.\. and outputs=\.\.\."):
        kd.teachers.load(address)


def test_what_cannot_be_loaded_is_one_sentence(tmp_path):
    for address in ("model.onnx", "torch:", "pickle:model", "hf"):
        with pytest.raises(InvalidInput, match="'torch:FOLDER', 'onnx:FILE' or 'hf:FOLDER' was expected"):
            kd.teachers.load(address)
    with pytest.raises(InvalidInput, match="nowhere does not exist"):
        kd.teachers.load("torch:nowhere")
    (tmp_path / "model.pt").write_bytes(pickle.dumps([1]))
    for kind in ("torch", "onnx"):
        with pytest.raises(UnsafeFile, match="could run code when loaded"):
            kd.teachers.load(f"{kind}:{tmp_path / 'model.pt'}")


def test_the_room_offers_its_names_lazily():
    assert dir(kd.teachers) == ["load", "wrap"]
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = kd.teachers.nothing
