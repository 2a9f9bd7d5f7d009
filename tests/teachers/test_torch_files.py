import pickle

import pytest

from kdaudit.domain import Domain, Real
from kdaudit.encoding import Encoding
from kdaudit.errors import InvalidInput, OutOfDomain, UnsafeFile
from kdaudit.networks.architectures import build
from kdaudit.networks.files import save
from kdaudit.networks.network import Network
from kdaudit.teachers.torch_files import Torch


@pytest.fixture
def network(rows):
    encoding = Encoding.fitted(rows)
    return Network("kept", build("mlp", {"inputs": encoding.width, "outputs": 1}, 0), encoding, ("yes",))


def test_it_is_the_network_that_was_kept(network, make_setting, tmp_path):
    save(network, tmp_path / "models" / "a")
    assert Torch("models/a").open(make_setting()).identity == network.identity
    assert Torch(str(tmp_path / "models" / "a")).open(make_setting()).identity == network.identity


def test_other_fields_are_refused(make_setting, tmp_path):
    encoding = Encoding(Domain((Real("height"),)), (0.0,), (1.0,))
    save(Network("n", build("mlp", {"inputs": 1, "outputs": 1}, 0), encoding, ("yes",)), tmp_path / "a")
    with pytest.raises(
        OutOfDomain, match="a was made for the fields height; the plan's domain has age, hours, sex, work"
    ):
        Torch("a").open(make_setting())


def test_unsafe_and_missing_files_are_one_sentence(make_setting, tmp_path):
    (tmp_path / "model.pt").write_bytes(pickle.dumps([1]))
    with pytest.raises(UnsafeFile, match=r"model\.pt is a pickle.*model\.safetensors and arch\.json, or an ONNX file"):
        Torch("model.pt").open(make_setting())
    (tmp_path / "only").mkdir()
    (tmp_path / "only" / "pytorch_model.bin").write_bytes(b"PK\x03\x04")
    with pytest.raises(UnsafeFile, match=r"pytorch_model\.bin"):
        Torch("only").open(make_setting())
    with pytest.raises(InvalidInput, match="nowhere does not exist below"):
        Torch("nowhere").open(make_setting())
    with pytest.raises(InvalidInput, match="leads out of the plan's folder"):
        Torch("../a").open(make_setting())
