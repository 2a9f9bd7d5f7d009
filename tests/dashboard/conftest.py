"""The run made of words that the report's tests use, written to disk."""

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
APP = ROOT / "apps" / "dashboard" / "app.py"


def _module(name, path):
    spec = spec_from_file_location(name, path)
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def words():
    """How runs are made of words, and written."""
    return _module("runs_of_words", ROOT / "tests" / "report" / "conftest.py")


@pytest.fixture
def runs(words, tmp_path):
    """A folder with two sealed runs."""
    folder = tmp_path / "runs"
    words.written(folder)
    words.written(folder, words.build(Path("runs/01JDF0Z9Q0V6M3T5K8W2X4Y7RC")))
    return folder


@pytest.fixture
def open_app(monkeypatch):
    """The app on a folder of runs, with what stands in the link."""
    from streamlit.testing.v1 import AppTest

    def start(folder, **link):
        monkeypatch.setattr("sys.argv", ["app.py", str(folder)])
        test = AppTest.from_file(str(APP), default_timeout=30)
        for key, value in link.items():
            test.query_params[key] = value
        return test

    return start
