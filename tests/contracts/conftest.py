"""What every subject keeps to, whoever it is.

To put another kind of subject under these contracts, add a line to `CASES`.
"""

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from kdaudit.behaviour import Behaviour
from kdaudit.domain import Category, Domain, Image, Real, Text
from kdaudit.encoders import fitted
from kdaudit.encoding import Encoding
from kdaudit.networks.architectures import build
from kdaudit.networks.files import save
from kdaudit.networks.network import Network
from kdaudit.networks.suiting import Shape, suiting
from kdaudit.question import Setting
from kdaudit.samples import Origin, Samples
from kdaudit.subject import Subject
from kdaudit.teachers.consensus import Consensus
from kdaudit.teachers.ensembles import Ensemble
from kdaudit.teachers.onnx_files import Onnx
from kdaudit.teachers.python_files import Python
from kdaudit.teachers.recorded import Recorded, outcomes
from kdaudit.teachers.torch_files import Torch
from kdaudit.teachers.trained import Trained
from kdaudit.teachers.wrapping import wrap

DOMAIN = Domain(
    (
        Real("age", 18, 99),
        Real("hours", 0, 99, missing=True),
        Category("sex", ("female", "male")),
        Category("work", ("office", "farm", "school", "sea"), missing=True),
    )
)
ONE, THREE = ("yes",), ("0", "1", "2")


def _rows(n, seed):
    rng = np.random.default_rng(seed)
    hours = rng.uniform(0, 99, n)
    hours[rng.random(n) < 0.1] = np.nan
    columns = {
        "age": rng.uniform(18, 99, n),
        "hours": hours,
        "sex": rng.integers(0, 2, n),
        "work": rng.integers(-1, 4, n),
    }
    labels = (columns["age"] + 9 * columns["work"] + rng.normal(0, 9, n) > 70).astype(np.int64)
    return Samples(DOMAIN, columns, np.arange(n) + 1000 * seed, Origin("made", part="rows"), labels)


ROWS, FITTING = _rows(300, 1), _rows(400, 2)
ENCODING = Encoding.fitted(FITTING)
ENCODED, YES = ENCODING.encode(FITTING), FITTING.labels
KIND = np.digitize(FITTING.columns["age"], [45, 70])


def _module(outputs, hidden, weight=0.0):
    module = build("mlp", {"inputs": ENCODING.width, "outputs": len(outputs), "hidden": list(hidden)}, 0)
    with torch.no_grad():
        module.layers[-1].weight[0, 0] += weight
    return module


def _network(outputs, hidden):
    def make(folder, weight):
        return Network("network", _module(outputs, hidden, weight), ENCODING, outputs)

    return make


def _setting(folder, outputs=ONE, **more):
    return Setting(folder, Behaviour("says yes", outputs, DOMAIN), {"train": FITTING, "rows": ROWS}, **more)


def _trained(outputs):
    labels = YES if outputs == ONE else KIND
    part = Samples(DOMAIN, FITTING.columns, FITTING.ids, FITTING.origin, labels)

    def make(folder, weight):
        setting = Setting(folder, Behaviour("says yes", outputs, DOMAIN), {"train": part})
        return Trained("train", hidden=(9,), steps=20, seed=int(weight)).open(setting)

    return make


def _torch(folder, weight):
    save(Network("kept", _module(ONE, (8,), weight), ENCODING, ONE), folder / "kept")
    return Torch("kept").open(_setting(folder))


def _wrapped_module(folder, weight):
    body = torch.nn.Sequential(_module(THREE, (9, 5), weight), torch.nn.Linear(3, 1), torch.nn.Flatten(0))
    with torch.no_grad():
        body[1].weight.fill_(0.5)
        body[1].bias.fill_(0.1)
    return wrap(body, domain=DOMAIN, outputs=ONE, name="module", encoding=ENCODING)


def _frame_columns():
    return make_column_transformer((OneHotEncoder(), ["sex", "work"]), remainder="passthrough")


@cache
def _fitted(kind, seed):
    match kind:
        case "logistic":
            model = LogisticRegression(C=1.0 + seed).fit(ENCODED, YES)
        case "classes":
            model = LogisticRegression(C=1.0 + seed).fit(ENCODED, KIND)
        case "perceptron":
            # a tolerance that is met at once, so that the end of training is no warning
            model = MLPClassifier((9,), max_iter=20, tol=10, random_state=seed).fit(ENCODED, YES)
        case "forest":
            forest = RandomForestClassifier(30, max_depth=6, n_jobs=2, random_state=seed)
            model = make_pipeline(_frame_columns(), forest).fit(FITTING.frame(), YES)
        case _:
            boosting = HistGradientBoostingClassifier(max_iter=20, categorical_features="from_dtype", random_state=seed)
            model = boosting.set_params(learning_rate=0.1 + seed / 10).fit(FITTING.frame(), YES)
    return model


def _estimator(kind, *, encoded, outputs=ONE):
    def make(folder, weight):
        encoding = ENCODING if encoded else None
        model = _fitted(kind, int(weight))
        return wrap(model, domain=DOMAIN, outputs=outputs, name=kind, encoding=encoding)

    return make


WEIGHTS = np.random.default_rng(0).normal(size=(2, 9))


def _score(frame: pd.DataFrame):
    columns = np.column_stack([frame["age"] / 50, frame["hours"].fillna(0) / 50, frame["sex"] == "male"])
    return 1 / (1 + np.exp(-(columns @ WEIGHTS[0, :3]) + 0.3 * (frame["work"] == "sea")))


def _other_score(frame: pd.DataFrame):
    return 1 - _score(frame)


def _function(folder, weight):
    return wrap(_other_score if weight else _score, domain=DOMAIN, outputs=ONE, name="function", version="1")


def _onnx(gives, outputs):
    def make(folder, weight):
        from onnx import TensorProto, helper, numpy_helper, save_model

        rng, k = np.random.default_rng(0), len(outputs)
        shapes = {"w0": (ENCODING.width, 9), "b0": (9,), "w1": (9, k), "b1": (k,)}
        arrays = {name: rng.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}
        arrays["w1"][0, 0] += weight
        nodes = [
            helper.make_node("Gemm", ["x", "w0", "b0"], ["h"]),
            helper.make_node("Relu", ["h"], ["r"]),
            helper.make_node("Gemm", ["r", "w1", "b1"], ["l"]),
            helper.make_node("Sigmoid" if k == 1 else "Softmax", ["l"], ["s"]),
        ]
        graph = helper.make_graph(
            nodes,
            "model",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", ENCODING.width])],
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", k]) for name in ("s", "l")],
            [numpy_helper.from_array(array, name) for name, array in arrays.items()],
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
        save_model(model, folder / "model.onnx")
        recipe = Onnx(
            "model.onnx",
            output="s" if gives == "scores" else "l",
            gives=gives,
            means={"age": 50.0, "hours": 40.0},
            scales={"age": 20.0, "hours": 20.0},
        )
        return recipe.open(_setting(folder, outputs))

    return make


def _recorded(folder, weight):
    table = pd.DataFrame({"id": ROWS.ids, "score": np.random.default_rng(0).random(len(ROWS))})
    table.loc[0, "score"] += weight / 1000
    table.to_parquet(folder / "answers.parquet")
    return Recorded("answers.parquet", scores=("score",)).open(_setting(folder))


def _recorded_labels(folder, weight):
    table = pd.DataFrame({"id": ROWS.ids, "said": np.random.default_rng(0).integers(0, 2, len(ROWS))})
    table.loc[0, "said"] = int(weight)
    table.to_csv(folder / "answers.csv", index=False)
    return Recorded("answers.csv", labels="said").open(_setting(folder))


def _outcomes(folder, weight):
    labels = ROWS.labels.copy()
    labels[0] = int(weight)
    return outcomes(Samples(DOMAIN, ROWS.columns, ROWS.ids, ROWS.origin, labels), ONE)


def _python(folder, weight):
    text = f"def make():\n    return score\n\ndef score(frame):\n    return frame['age'] / (100 + {weight})\n"
    (folder / "model.py").write_text(text)
    return Python("model.py:make", version="1").open(_setting(folder, allow_code=True))


def _members(folder, weight, outputs):
    return [_network(outputs, (hidden,))(folder, weight if hidden == 5 else 0.0) for hidden in (5, 7, 9)]


def _ensemble(folder, weight):
    return Ensemble(_members(folder, weight, THREE), weights=(1, 2, 3))


def _consensus(outputs):
    def make(folder, weight):
        return Consensus(_members(folder, weight, outputs), clip=2.0, noise=1.5, secret=8)

    return make


def _pictures(n):
    values = np.random.default_rng(3).random((n, 1, 8, 8))
    return Samples(Domain((Image("digit", (1, 8, 8)),)), {"digit": values}, np.arange(n), Origin("drawn"))


def _texts(n):
    rng = np.random.default_rng(4)
    words = np.array([f"w{i}" for i in range(40)])
    texts = np.array([" ".join(rng.choice(words, rng.integers(0, 12))) for _ in range(n)], dtype=object)
    return Samples(Domain((Text("said"),)), {"said": texts}, np.arange(n), Origin("drawn"))


PICTURES, TEXTS = _pictures(300), _texts(300)


def _of_rows(family, rows):
    def make(folder, weight):
        encoder = fitted(rows)
        # odd sizes, which are those that products may treat by place
        module = build(*suiting(Shape(family, (7, 9), 15, 3), encoder, 3), 0)
        with torch.no_grad():
            module.head.weight[0, 0] += weight
        return Network(family, module, encoder, THREE)

    return make


@dataclass(frozen=True)
class Case:
    """A subject under contract: `make(folder, weight)`; weight 1.0 instead of 0.0 changes some answer."""

    make: Callable[[Path, float], Subject]
    needs: str = ""
    rows: Samples = ROWS


CASES = {
    "network": Case(_network(ONE, (16, 8))),
    "network of odd widths": Case(_network(THREE, (9, 5))),
    "linear network": Case(_network(("a", "b"), ())),
    "trained": Case(_trained(ONE)),
    "trained on classes": Case(_trained(THREE)),
    "torch": Case(_torch),
    "module": Case(_wrapped_module),
    "logistic regression": Case(_estimator("logistic", encoded=True)),
    "logistic regression of classes": Case(_estimator("classes", encoded=True, outputs=THREE)),
    "forest over frames": Case(_estimator("forest", encoded=False)),
    "boosting over frames": Case(_estimator("boosting", encoded=False)),
    "perceptron": Case(_estimator("perceptron", encoded=True)),
    "function": Case(_function),
    "onnx": Case(_onnx("scores", ONE), needs="onnxruntime"),
    "onnx of logits of classes": Case(_onnx("logits", THREE), needs="onnxruntime"),
    "recorded": Case(_recorded),
    "recorded labels": Case(_recorded_labels),
    "outcomes": Case(_outcomes),
    "python": Case(_python),
    "ensemble": Case(_ensemble),
    "consensus": Case(_consensus(THREE)),
    "consensus of scores": Case(_consensus(ONE)),
    "cnn": Case(_of_rows("cnn", PICTURES), rows=PICTURES),
    "transformer over patches": Case(_of_rows("transformer", PICTURES), rows=PICTURES),
    "transformer over words": Case(_of_rows("transformer", TEXTS), rows=TEXTS),
    "cnn over words": Case(_of_rows("cnn", TEXTS), rows=TEXTS),
}


@pytest.fixture(params=CASES)
def case(request):
    case = CASES[request.param]
    if case.needs and importlib.util.find_spec(case.needs) is None:
        pytest.skip(f"{case.needs} is not installed")
    return case


@pytest.fixture
def subject(case, tmp_path):
    return case.make(tmp_path, 0.0)


@pytest.fixture
def rows(case):
    return case.rows


@pytest.fixture
def table(case):
    if case.rows is not ROWS:
        pytest.skip("only tables have several fields and levels")
    return case.rows


@pytest.fixture
def fields():
    """The fields of the tables that all subjects here are asked about."""
    return DOMAIN.fields
