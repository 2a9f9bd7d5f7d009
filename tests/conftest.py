"""What tests share: data sets outside the repository and what is said without them; small subjects made of formulas."""

import gc
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings

from kdaudit.cast import Cast, Empty
from kdaudit.domain import Category, Domain, Real
from kdaudit.errors import NoSuchSignal
from kdaudit.samples import Origin, Samples
from kdaudit.signal import LABEL, LOGIT, SCORE
from kdaudit.subject import Answers, Identity

# one machine's chance must not decide whether another's tests pass; `HYPOTHESIS_PROFILE=explore` draws afresh
settings.register_profile("same", deadline=None, derandomize=True, database=None, max_examples=60)
settings.register_profile("explore", deadline=None, database=None, max_examples=500)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))

VARIABLE = "KDAUDIT_DATA"
_without_data: list[str] = []


def pytest_addoption(parser):
    parser.addoption("--require-data", action="store_true", help=f"fail where a test is skipped for want of {VARIABLE}")


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """Folder of the public data sets, one folder a set; tests that need it are skipped where there is none."""
    folder = os.environ.get(VARIABLE, "")
    if not folder:
        pytest.skip(f"{VARIABLE} is not set")
    return Path(folder)


def pytest_collection_finish(session):
    # libraries and test modules stay to the end: looking through them for garbage again and again is time lost
    gc.collect()
    gc.freeze()


def _note(report, *, marked=False):
    if report.skipped and (marked or VARIABLE in str(report.longrepr)):
        _without_data.append(report.nodeid)


def pytest_collectreport(report):
    _note(report)


def pytest_runtest_logreport(report):
    _note(report, marked="data" in report.keywords)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session, exitstatus):
    if _without_data and session.config.getoption("--require-data") and exitstatus == 0:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter, config):
    count = len(_without_data)
    if not count:
        return
    tests = "1 test" if count == 1 else f"{count} tests"
    terminalreporter.write_line(f"{tests} skipped for want of data: set {VARIABLE} to the folder of the data sets")
    if config.getoption("--require-data"):
        terminalreporter.write_line("--require-data: this counts as failed", red=True)


DOMAIN = Domain(
    (
        Real("age", 18, 90, integer=True),
        Real("hours", 0, 99),
        Category("sex", ("female", "male"), protected=True),
        Category("school", ("low", "middle", "high"), ordered=True, missing=True),
    )
)


class Formula:
    """A subject that is a formula of its rows: ``score(samples) -> (n,)`` or ``(n, outputs)``."""

    outputs = ("above",)
    scale = "probability"
    form = None

    def __init__(self, score, name="formula", offers=(SCORE, LABEL, LOGIT), failed=(), by="content"):
        self.score, self.offers, self.failed = score, frozenset(offers), failed
        self.identity = Identity(name, name, by=by)

    def answer(self, samples, signals, draw=0):
        if missing := set(signals) - self.offers:
            raise NoSuchSignal(f"{self.identity.name} does not offer {missing}")
        values = np.asarray(self.score(samples), dtype=np.float64)
        values = values[:, None] if values.ndim == 1 else values
        failed = {i: "no answer" for i, row in enumerate(samples.ids) if row in self.failed}
        values = values.copy()
        values[list(failed)] = np.nan
        if self.offers == {LABEL}:
            return Answers({LABEL: (values[:, 0] > 0.5).astype(np.int64)}, failed)
        return Answers({SCORE: values}, failed)


class Asking:
    """The shape of a store's ask; remembers how many distinct rows each subject answered."""

    def __init__(self):
        self.seen = {}

    def __call__(self, subject, samples, signals):
        self.seen.setdefault(subject.identity.name, set()).update(samples.keys().tolist())
        return subject.answer(samples, signals)

    def rows(self, subject):
        return len(self.seen.get(subject.identity.name, ()))


def make_people(n=1000, seed=0):
    rng = np.random.default_rng(seed)
    columns = {
        "age": rng.integers(18, 91, n).astype(float),
        "hours": np.round(rng.uniform(0, 99, n), 4),
        "sex": rng.integers(0, 2, n).astype(np.int32),
        "school": rng.integers(-1, 3, n).astype(np.int32),
    }
    return Samples(DOMAIN, columns, np.arange(n), Origin("people made by chance"))


def make_cast(teacher, proxy, stranger=None, twin=None, **more):
    return Cast(
        teacher,
        proxy,
        stranger or Empty("there is no stranger"),
        twin or Empty("there is no twin"),
        control_kind="strangers_proxy" if stranger else "none",
        **more,
    )


@pytest.fixture
def formula():
    return Formula


@pytest.fixture
def people():
    return make_people


@pytest.fixture
def cast_of():
    return make_cast


@pytest.fixture
def asking():
    return Asking()
