import builtins
import pickle

import numpy as np
import pytest

from kdaudit.domain import Category, Domain, Real
from kdaudit.errors import InvalidInput, OutOfDomain, UnsafeFile
from kdaudit.samples import Origin, Samples
from kdaudit.signal import LABEL, LOGIT, SCORE
from kdaudit.teachers.onnx_files import Onnx

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
helper, numpy_helper, T = onnx.helper, onnx.numpy_helper, onnx.TensorProto
RNG = np.random.default_rng(0)
W, B = RNG.normal(size=(8, 2)).astype(np.float32), RNG.normal(size=2).astype(np.float32)


def _model(nodes, inputs, outputs, arrays):
    graph = helper.make_graph(
        nodes,
        "model",
        [helper.make_tensor_value_info(name, kind, shape) for name, (kind, shape) in inputs.items()],
        [helper.make_tensor_value_info(name, kind, shape) for name, (kind, shape) in outputs.items()],
        [numpy_helper.from_array(array, name) for name, array in arrays.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def _encoded(weights=W, rows="n", kind=T.FLOAT):
    """One encoded input of eight columns, a linear model of two classes, labels first as converters put them."""
    nodes = [
        helper.make_node("Gemm", ["x", "w", "b"], ["l"]),
        helper.make_node("Softmax", ["l"], ["s"]),
        helper.make_node("ArgMax", ["s"], ["label"], axis=1, keepdims=0),
    ]
    outputs = {"label": (T.INT64, [rows]), "s": (T.FLOAT, [rows, 2]), "l": (T.FLOAT, [rows, 2])}
    return _model(nodes, {"x": (kind, [rows, weights.shape[0]])}, outputs, {"w": weights, "b": B})


def _by_field(work=T.STRING):
    """An input an field: score = sigmoid(age / 10 - hours / 20 + (work is farm))."""
    nodes = [
        helper.make_node("Div", ["age", "ten"], ["a"]),
        helper.make_node("Div", ["hours", "twenty"], ["h"]),
        helper.make_node("Sub", ["a", "h"], ["d"]),
    ]
    arrays = {"ten": np.float32([10]), "twenty": np.float32([20])}
    if work == T.STRING:
        nodes.append(helper.make_node("LabelEncoder", ["work"], ["f"], domain="ai.onnx.ml", keys_strings=["farm"],
                                      values_floats=[1.0], default_float=0.0))  # fmt: skip
    else:
        nodes += [helper.make_node("Equal", ["work", "one"], ["e"]), helper.make_node("Cast", ["e"], ["f"], to=T.FLOAT)]
        arrays["one"] = np.int64([1])
    nodes += [
        helper.make_node("Identity", ["sex"], ["unused"]),
        helper.make_node("Add", ["d", "f"], ["l"]),
        helper.make_node("Sigmoid", ["l"], ["s"]),
    ]
    inputs = {
        "age": (T.FLOAT, ["n", 1]),
        "hours": (T.FLOAT, ["n", 1]),
        "sex": (T.INT64, ["n", 1]),
        "work": (work, ["n", 1]),
    }
    model = _model(nodes, inputs, {"s": (T.FLOAT, ["n", 1])}, arrays)
    model.opset_import.append(helper.make_opsetid("ai.onnx.ml", 2))
    return model


@pytest.fixture
def opened(make_setting, tmp_path):
    def made(model, outputs=("no", "yes"), **recipe):
        onnx.save_model(model, tmp_path / "model.onnx")
        return Onnx("model.onnx", **recipe).open(make_setting(outputs=outputs))

    return made


def _columns(rows, means=(0, 0), scales=(1, 1)):
    columns = [(rows.columns["age"] - means[0]) / scales[0], (rows.columns["hours"] - means[1]) / scales[1]]
    columns += [rows.level("sex") == level for level in ("female", "male")]
    columns += [rows.level("work") == level for level in ("office", "farm", "school", None)]
    return np.column_stack(columns).astype(np.float64)


def _softmax(logit):
    e = np.exp(logit - logit.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def test_one_encoded_input_with_means_and_scales(opened, rows):
    subject = opened(_encoded(), means={"age": 50.0}, scales={"age": 10.0, "hours": 25.0})
    logit = _columns(rows, (50, 0), (10, 25)) @ W.astype(np.float64) + B
    answers = subject.answer(rows, [SCORE, LABEL])
    np.testing.assert_allclose(answers.score, _softmax(logit), atol=1e-5)
    assert subject.offers == {SCORE, LABEL}
    assert subject.identity.basis == "content"


def test_logits_where_the_file_gives_them(opened, rows):
    subject = opened(_encoded(), output="l", gives="logits", scales={"age": 50.0, "hours": 50.0})
    logit = _columns(rows, scales=(50, 50)) @ W.astype(np.float64) + B
    answers = subject.answer(rows, [LOGIT, SCORE])
    np.testing.assert_allclose(answers.logit, logit, atol=1e-5)
    np.testing.assert_allclose(answers.score, _softmax(logit), atol=1e-5)


def test_two_classes_are_one_output_if_the_plan_names_one(opened, rows):
    scales = {"age": 50.0, "hours": 50.0}
    two = opened(_encoded(), scales=scales).answer(rows, [SCORE]).score
    one = opened(_encoded(), outputs=("yes",), scales=scales).answer(rows, [SCORE]).score
    assert (one[:, 0] == two[:, 1]).all()
    logit = opened(_encoded(), outputs=("yes",), output="l", gives="logits", scales=scales).answer(rows, [SCORE]).score
    np.testing.assert_allclose(logit, one, atol=1e-6)


@pytest.mark.parametrize("work", [T.STRING, T.INT64])
def test_an_input_an_field_with_levels_by_name_or_position(opened, rows, work):
    subject = opened(_by_field(work), outputs=("yes",))
    logit = rows.columns["age"] / 10 - rows.columns["hours"] / 20 + (rows.level("work") == "farm")
    np.testing.assert_allclose(subject.answer(rows, [SCORE]).score[:, 0], 1 / (1 + np.exp(-logit)), atol=1e-6)


def test_a_fixed_number_of_rows_is_kept_to(opened, rows):
    scales = {"age": 50.0, "hours": 50.0}
    fixed = opened(_encoded(rows=7), scales=scales)
    assert fixed.batch == 7
    np.testing.assert_allclose(
        fixed.answer(rows, [SCORE]).score, opened(_encoded(), scales=scales).answer(rows, [SCORE]).score, atol=1e-6
    )


def test_identity_is_the_file_and_how_it_is_read(opened):
    first = opened(_encoded()).identity.digest
    assert opened(_encoded()).identity.digest == first
    assert opened(_encoded(), name="other name").identity.digest == first
    others = [
        opened(_encoded(W + np.float32(1e-6))),
        opened(_encoded(), output="l"),
        opened(_encoded(), means={"age": 1.0}),
        opened(_encoded(), scales={"age": 2.0}),
        opened(_encoded(), outputs=("a", "b")),
    ]
    assert len({first, *(subject.identity.digest for subject in others)}) == 6


def _split(folder, location="weights.bin"):
    weights = RNG.normal(size=(8, 2)).astype(np.float32)
    beside = {"save_as_external_data": True, "location": "weights.bin", "size_threshold": 0}
    onnx.save_model(_encoded(weights), folder / "model.onnx", **beside)
    model = onnx.load(folder / "model.onnx", load_external_data=False)
    for tensor in model.graph.initializer:
        for entry in tensor.external_data:
            if entry.key == "location":
                entry.value = location
    onnx.save_model(model, folder / "model.onnx")


def test_weights_beside_the_file_are_read_and_hashed(make_setting, tmp_path, rows):
    _split(tmp_path)
    setting = make_setting(outputs=("no", "yes"))
    first = Onnx("model.onnx").open(setting)
    assert first.answer(rows, [SCORE]).score.shape == (120, 2)
    content = bytearray((tmp_path / "weights.bin").read_bytes())
    content[1] ^= 1
    (tmp_path / "weights.bin").write_bytes(bytes(content))
    assert Onnx("model.onnx").open(setting).identity.digest != first.identity.digest


@pytest.mark.parametrize("location", ["../weights.bin", "/etc/hostname", "nowhere.bin", "link.bin"])
def test_weights_elsewhere_are_refused(make_setting, tmp_path, location):
    folder = tmp_path / "models"
    folder.mkdir()
    _split(folder, location)
    (tmp_path / "weights.bin").write_bytes((folder / "weights.bin").read_bytes())
    (folder / "link.bin").symlink_to(tmp_path / "weights.bin")
    with pytest.raises(InvalidInput, match="refers to weights in .*; they must lie in a file below its own folder"):
        Onnx("models/model.onnx").open(make_setting(outputs=("no", "yes")))


def test_weights_elsewhere_are_found_inside_branches_too(make_setting, tmp_path):
    tensor = numpy_helper.from_array(W, "hidden")
    tensor.ClearField("raw_data")
    tensor.data_location = T.EXTERNAL
    tensor.external_data.add(key="location", value="../secret")
    constant = helper.make_node("Constant", [], ["c"], value=tensor)
    branch = helper.make_graph([constant], "then", [], [helper.make_tensor_value_info("c", T.FLOAT, [8, 2])])
    other = helper.make_graph([constant], "else", [], [helper.make_tensor_value_info("c", T.FLOAT, [8, 2])])
    nodes = [
        helper.make_node("If", ["yes"], ["w"], then_branch=branch, else_branch=other),
        helper.make_node("MatMul", ["x", "w"], ["s"]),
    ]
    model = _model(nodes, {"x": (T.FLOAT, ["n", 8])}, {"s": (T.FLOAT, ["n", 2])}, {"yes": np.array(True)})
    (tmp_path / "model.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(InvalidInput, match=r"refers to weights in '\.\./secret'"):
        Onnx("model.onnx").open(make_setting())


def test_what_does_not_fit_is_one_sentence(opened, make_setting, tmp_path):
    def refused(model, words, kind=InvalidInput, **recipe):
        with pytest.raises(kind, match=words):
            opened(model, **recipe)

    refused(_encoded(W[:5]), r"model\.onnx takes 'x', tensor\(float\) of shape .*\(rows, 8\) were expected")
    refused(_encoded(), "has no output 'z'; its outputs are label, s, l", output="z")
    refused(_encoded(), "has no output of scores that can be read", output="label")
    refused(_encoded(), "there is no field 'weight'", OutOfDomain, means={"weight": 1.0})
    refused(_encoded(), "sex is no number", OutOfDomain, scales={"sex": 1.0})
    two = _model(
        [helper.make_node("Add", ["age", "height"], ["s"])],
        {"age": (T.FLOAT, ["n", 1]), "height": (T.FLOAT, ["n", 1])}, {"s": (T.FLOAT, ["n", 1])}, {},
    )  # fmt: skip
    refused(two, "takes age, height; either one encoded input was expected, or age, hours, sex, work")
    text = _by_field()
    text.graph.input[0].type.tensor_type.elem_type = T.STRING
    refused(text, r"cannot be read as ONNX|takes 'age' as tensor\(string\), which a real cannot be")


def test_files_that_are_no_models_are_refused(make_setting, tmp_path):
    def refused(content, words, kind=InvalidInput, name="model.onnx"):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(kind, match=words):
            Onnx(name).open(make_setting(outputs=("no", "yes")))

    refused(pickle.dumps([1.0] * 50), "is a pickle", UnsafeFile)
    refused(b"PK\x03\x04 and more", "could run code", UnsafeFile)
    refused(_encoded().SerializeToString(), "could run code", UnsafeFile, "model.pt")
    refused(b"", "cannot be read as ONNX")
    refused(b"not a model at all", "cannot be read as ONNX")
    refused(_encoded().SerializeToString()[:-40], "cannot be read as ONNX")


def test_a_missing_extra_says_what_to_install(opened, monkeypatch):
    real = builtins.__import__

    def absent(name, *rest, **more):
        if name == "onnxruntime":
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", absent)
    with pytest.raises(InvalidInput, match=r"pip install kdaudit\[onnx\]"):
        opened(_encoded())


def test_a_missing_number_is_no_whole_number(tmp_path):
    from kdaudit.behaviour import Behaviour
    from kdaudit.question import Setting

    domain = Domain((Real("age", missing=True), Category("sex", ("f", "m"))))
    model = _model(
        [helper.make_node("Cast", ["age"], ["s"], to=T.FLOAT), helper.make_node("Identity", ["sex"], ["t"])],
        {"age": (T.INT64, ["n"]), "sex": (T.INT64, ["n"])}, {"s": (T.FLOAT, ["n"])}, {},
    )  # fmt: skip
    onnx.save_model(model, tmp_path / "model.onnx")
    subject = Onnx("model.onnx").open(Setting(tmp_path, Behaviour("b", ("yes",), domain)))
    rows = Samples(domain, {"age": [1.0, 0.0], "sex": [0, 1]}, np.arange(2), Origin("x"))
    assert list(subject.answer(rows, [SCORE]).score[:, 0]) == [1.0, 0.0]
    missing = Samples(domain, {"age": [1.0, np.nan], "sex": [0, 1]}, np.arange(2), Origin("x"))
    with pytest.raises(OutOfDomain, match="age is missing in some row, and the model takes whole numbers"):
        subject.answer(missing, [SCORE])


def test_classifiers_of_scikit_learn_answer_alike_after_conversion(opened, rows):
    skl2onnx = pytest.importorskip("skl2onnx")
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.linear_model import LogisticRegression

    encoded = _columns(rows).astype(np.float32)
    for model in (LogisticRegression(max_iter=2000), RandomForestClassifier(10, random_state=0)):
        model.fit(encoded, rows.labels)
        kind = [("x", skl2onnx.common.data_types.FloatTensorType([None, 8]))]
        converted = skl2onnx.convert_sklearn(model, initial_types=kind, options={"zipmap": False}, target_opset=17)
        score = opened(converted).answer(rows, [SCORE]).score
        np.testing.assert_allclose(score, model.predict_proba(encoded), atol=1e-5)
        listed = skl2onnx.convert_sklearn(model, initial_types=kind, target_opset=17)
        with pytest.raises(InvalidInput, match="with zipmap off"):
            opened(listed)
