"""Errors: each has the exit code that the command line promises, and says where."""

import inspect
from pathlib import Path

import pytest

from kdaudit import errors

CODES = {
    "KdauditError": 70,
    "InvalidInput": 2,
    "InvalidPlan": 2,
    "OutOfDomain": 2,
    "InvalidAnswers": 2,
    "UnsafeFile": 2,
    "OverBudget": 4,
    "NoSuchSignal": 4,
    "Cancelled": 3,
    "BrokenRun": 5,
    "TeacherMoved": 5,
}


def test_each_error_has_its_exit_code_and_stands_in_the_tree():
    found = {
        name: kind for name, kind in inspect.getmembers(errors, inspect.isclass) if kind.__module__ == errors.__name__
    }
    assert {name: kind.exit_code for name, kind in found.items()} == CODES
    assert all(issubclass(kind, errors.KdauditError) for kind in found.values())
    for name, code in CODES.items():
        line = next(line for line in errors.__doc__.splitlines() if name in line.split())
        # a kind without a number in the drawing has that of the kind above it
        assert str(code) in line or CODES[found[name].__base__.__name__] == code


@pytest.mark.parametrize(
    ("place", "text"),
    [
        ({"file": Path("a.yaml"), "line": 3, "column": 7}, "a.yaml:3:7: no"),
        ({"file": Path("a.yaml"), "line": 3}, "a.yaml:3: no"),
        ({"file": Path("a.yaml")}, "a.yaml: no"),
        ({}, "no"),
    ],
)
def test_a_plan_that_is_wrong_is_shown_where(place, text):
    error = errors.InvalidPlan("no", **place)
    assert str(error) == text and error.message == "no" and error.line == place.get("line")


def test_a_budget_says_what_is_needed_and_left():
    error = errors.OverBudget("too few", needed=30, left=4)
    assert (error.needed, error.left, str(error)) == (30, 4, "too few")
