import json
import pickle
import zipfile

import numpy as np
import pytest
import torch

from kdaudit.errors import InvalidInput, UnsafeFile
from kdaudit.networks.files import load, save
from kdaudit.networks.network import Network
from kdaudit.signal import LOGIT


def test_a_round_trip_keeps_digest_and_bits(make, samples, tmp_path):
    network = make(("a", "b", "c"), batch=128)
    written = save(network, tmp_path / "new" / "net")
    again = load(tmp_path / "new" / "net")
    assert sorted(path.name for path in written) == ["arch.json", "model.safetensors"]
    assert again.identity == network.identity
    assert (again.name, again.outputs, again.scale, again.batch) == (
        "small network",
        ("a", "b", "c"),
        "probability",
        128,
    )
    assert again.encoding == network.encoding
    assert (again.answer(samples, [LOGIT]).logit == network.answer(samples, [LOGIT]).logit).all()


def test_the_same_network_gives_the_same_bytes(make, tmp_path):
    first, second = save(make(), tmp_path / "a"), save(make(), tmp_path / "b")
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]


def test_a_module_outside_the_table_is_not_kept(make, tmp_path):
    encoding = make().encoding
    network = Network("odd", torch.nn.Linear(encoding.width, 1), encoding, ("yes",))
    with pytest.raises(InvalidInput, match="odd is a Linear and cannot be kept"):
        save(network, tmp_path / "n")
    assert not (tmp_path / "n").exists()


def _saved(make, folder):
    save(make(), folder)
    return folder


def _described(folder, **changes):
    path = folder / "arch.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


@pytest.mark.parametrize("name", ["model.pt", "weights.bin", "model.pkl", "all.zip", "model.joblib", "m.ckpt", "plain"])
def test_pickles_and_archives_are_refused_by_name_or_content(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(pickle.dumps({"weights": [1.0] * 100}))
    with pytest.raises(UnsafeFile, match=r"give a folder with model.safetensors and arch.json, or an ONNX file"):
        load(path)
    with pytest.raises(UnsafeFile):
        load(tmp_path)


def test_a_pickle_or_archive_called_safetensors_is_refused(make, tmp_path):
    folder = _saved(make, tmp_path / "n")
    for protocol in range(2, 6):
        (folder / "model.safetensors").write_bytes(pickle.dumps(np.arange(100.0), protocol=protocol))
        with pytest.raises(UnsafeFile, match=r"model\.safetensors is a pickle"):
            load(folder)
    with zipfile.ZipFile(folder / "model.safetensors", "w") as archive:
        archive.writestr("data.pkl", b"x")
    with pytest.raises(UnsafeFile):
        load(folder)


def test_nothing_is_unpickled(make, tmp_path):
    class Trap:
        def __reduce__(self):
            return (open, (str(tmp_path / "sprung"), "w"))

    folder = _saved(make, tmp_path / "n")
    (folder / "model.safetensors").write_bytes(pickle.dumps(Trap()))
    with pytest.raises(InvalidInput):
        load(folder)
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize("kept", [0, 7, 8, 40, 200, -1])
def test_a_cut_file_is_one_sentence(make, tmp_path, kept):
    folder = _saved(make, tmp_path / "n")
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(InvalidInput, match="cannot be read as safetensors"):
        load(folder)


def test_a_description_that_does_not_fit_is_one_sentence(make, tmp_path):
    folder = _saved(make, tmp_path / "n")
    arguments = json.loads((folder / "arch.json").read_text())["arguments"]
    for changes, words in [
        ({"arguments": {**arguments, "hidden": [1 << 20, 1 << 20]}}, "the weights in .* have shapes"),
        ({"arguments": {**arguments, "depth": 2}}, "do not fit mlp"),
        ({"architecture": "rnn"}, "architecture 'rnn' is unknown"),
        ({"architecture": ["mlp"]}, "does not describe a network"),
        ({"format": 9}, "no description of format 1"),
        ({"encoding": {}}, "does not describe a network"),
        ({"outputs": "yes"}, "needs a sequence of outputs"),
        ({"batch": 3}, "multiple of 64"),
    ]:
        save(make(), folder)
        _described(folder, **changes)
        with pytest.raises(InvalidInput, match=words):
            load(folder)
    (folder / "arch.json").write_text("{")
    with pytest.raises(InvalidInput, match="cannot be read as JSON"):
        load(folder)
    (folder / "arch.json").unlink()
    with pytest.raises(InvalidInput, match=r"has no arch\.json"):
        load(folder)
    with pytest.raises(InvalidInput, match=r"has no model\.safetensors"):
        load(tmp_path / "nowhere")
