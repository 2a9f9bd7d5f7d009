"""What all tests share: the data sets outside the repository, and what is said of tests that miss them."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

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
