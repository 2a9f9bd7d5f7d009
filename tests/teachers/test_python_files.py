import sys

import numpy as np
import pytest

from kdaudit.errors import InvalidAnswers, InvalidInput
from kdaudit.networks.network import Network
from kdaudit.signal import SCORE
from kdaudit.teachers.python_files import Python

FUNCTION = """
LIMIT = 100

def score(frame):
    return frame["age"] / LIMIT

def make():
    return score
"""
SUBJECT = """
from kdaudit.domain import Domain, Real
from kdaudit.encoding import Encoding
from kdaudit.networks.architectures import build
from kdaudit.networks.network import Network

def make():
    encoding = Encoding(Domain((Real("age"),)), (50.0,), (20.0,))
    return Network("ready", build("mlp", {"inputs": 1, "outputs": 1}, 0), encoding, ("yes",))
"""
ESTIMATOR = """
import numpy as np
from sklearn.linear_model import LogisticRegression

def make():
    import pandas as pd
    frame = pd.DataFrame({"age": [20.0, 30.0, 60.0, 70.0]})
    return LogisticRegression().fit(frame, [0, 0, 1, 1])
"""


@pytest.fixture
def opened(make_setting, tmp_path):
    def made(text, factory="model.py:make", version="1", **more):
        (tmp_path / "model.py").write_text(text)
        return Python(factory, version).open(make_setting(**{"allow_code": True, **more}))

    return made


def test_a_function_of_the_plan_answers(opened, rows):
    subject = opened(FUNCTION)
    assert (subject.answer(rows, [SCORE]).score[:, 0] == rows.columns["age"] / 100).all()
    assert subject.identity.basis == "declared"


def test_the_whole_file_and_the_version_are_part_of_a_declared_identity(opened):
    first = opened(FUNCTION).identity.digest
    assert opened(FUNCTION).identity.digest == first
    assert opened(FUNCTION.replace("100", "101")).identity.digest != first
    assert opened(FUNCTION, version="2").identity.digest != first


def test_subjects_and_estimators_keep_their_own_identity(opened, rows):
    ready = opened(SUBJECT)
    assert isinstance(ready, Network)
    assert opened(SUBJECT + "\n# a remark\n").identity == ready.identity
    estimator = opened(ESTIMATOR)
    assert estimator.identity.basis == "content"
    score = estimator.answer(rows, [SCORE]).score[:, 0]
    assert (np.argsort(score, kind="stable") == np.argsort(rows.columns["age"], kind="stable")).all()


def test_code_runs_only_where_it_is_allowed(opened, tmp_path):
    trap = f"open({str(tmp_path / 'ran')!r}, 'w').close()\n" + FUNCTION
    with pytest.raises(InvalidInput, match="is code that the plan brings; allow it with --allow-code"):
        opened(trap, allow_code=False)
    assert not (tmp_path / "ran").exists()
    opened(trap)
    assert (tmp_path / "ran").exists()


def test_nothing_is_written_beside_the_file(opened, tmp_path):
    opened(FUNCTION)
    assert [path.name for path in tmp_path.iterdir()] == ["model.py"]
    assert "model" not in sys.modules


def test_the_file_must_lie_below_the_plan(make_setting, tmp_path):
    outside = tmp_path.parent / f"{tmp_path.name}.py"
    outside.write_text(FUNCTION)
    (tmp_path / "link.py").symlink_to(outside)
    for file in (f"../{outside.name}", str(outside), "link.py"):
        with pytest.raises(InvalidInput, match="leads out of the plan's folder"):
            Python(f"{file}:make", "1").open(make_setting(allow_code=True))
    outside.unlink()


def test_what_is_wrong_is_one_sentence(opened):
    for text, factory, words in [
        (FUNCTION, "model.py:mak", r"model\.py has no function 'mak'; did you mean 'make'\?"),
        (FUNCTION, "model.py:LIMIT", "has no function 'LIMIT'; it has make, score"),
        ("x = 1", "model.py:make", "it has none"),
        ("def make(:", "model.py:make", r"model\.py cannot run: SyntaxError"),
        ("import nothing_of_that_name", "model.py:make", r"model\.py cannot run: ModuleNotFoundError"),
        ("def make():\n    return 1 / 0", "model.py:make", r"model\.py:make failed: ZeroDivisionError"),
        ("def make(x):\n    return x", "model.py:make", r"model\.py:make failed: TypeError"),
        ("def make():\n    return 7", "model.py:make", "is a int; a torch module, a scikit-learn classifier"),
        (FUNCTION, "other.py:make", r"other\.py does not exist below"),
    ]:
        with pytest.raises(InvalidInput, match=words):
            opened(text, factory)
    for factory in ("model.py", "model:make", "model.py:", "model.py:a-b", "model.txt:make"):
        with pytest.raises(InvalidInput, match=r"'file\.py:function' was expected"):
            Python(factory, "1")
    with pytest.raises(InvalidInput, match="version is empty"):
        Python("model.py:make", "")


def test_a_wrong_number_of_rows_is_one_sentence(opened, rows):
    subject = opened("def make():\n    return lambda frame: frame['age'].head(3)\n")
    with pytest.raises(InvalidAnswers, match=r"shape \(3, 1\)"):
        subject.answer(rows, [SCORE])
