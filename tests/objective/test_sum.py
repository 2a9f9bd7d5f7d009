import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from kdaudit.errors import InvalidInput
from kdaudit.objective.reference import Reference
from kdaudit.objective.sum import NUMBERS, TERMS, Objective, parse, spread
from kdaudit.objective.terms import logit_mse, soft_targets
from kdaudit.signal import LOGIT
from kdaudit.subject import Answers

REFERENCE = Reference.of(
    Answers({LOGIT: np.array([[0.5, -1.0, 2.0], [1.0, 1.0, 0.0]])}), np.array([0, 2]), scale="probability"
)
STUDENT = torch.tensor([[0.1, 0.2, 0.3], [3.0, -1.0, 0.5]], dtype=torch.float64)


def value(text):
    return parse(text)(STUDENT, REFERENCE)


def test_a_sum_gives_the_weighted_sum_a_row():
    slow = soft_targets(2)(STUDENT, REFERENCE) + 0.5 * logit_mse()(STUDENT, REFERENCE)
    assert torch.allclose(value("soft_targets(2) + 0.5 * logit_mse"), slow)
    assert value("soft_targets").shape == (2,)


@pytest.mark.parametrize(
    "text", ["2 * (soft_targets(4) + logit_mse * 0.25)", "logit_mse()", "soft_targets(temperature := 2)"][:2]
)
def test_what_is_written_back_reads_the_same(text):
    again = parse(str(parse(text)))
    assert torch.allclose(again(STUDENT, REFERENCE), value(text))


@given(st.floats(0.01, 100), st.floats(0.01, 100))
def test_laws_of_the_sum(a, b):
    x, y = parse("soft_targets(3)"), parse("labels")
    left, right = a * (x + b * y), a * x + (a * b) * y
    assert torch.allclose(left(STUDENT, REFERENCE), right(STUDENT, REFERENCE))
    assert left.needs == {"probability", "outcome"}
    assert torch.allclose((x + y)(STUDENT, REFERENCE), (y + x)(STUDENT, REFERENCE))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("soft_target(2)", "did you mean soft_targets"),
        ("logitmse", "did you mean logit_mse"),
        ("entropy", "terms are attention, balance, cka"),
        ("", "1 to 500 characters"),
        ("labels + " * 100 + "labels", "1 to 500 characters"),
        ("2", "needs a term"),
        ("labels +", "cannot be read"),
        ("labels - logit_mse", "not part of an objective"),
        ("labels * logit_mse", "not part of an objective"),
        ("labels + 1", "not part of an objective"),
        ("-1 * labels", "not part of an objective"),
        ("0 * labels", "weight 0"),
        ("True * labels", "not part of an objective"),
        ("soft_targets(0)", "temperature"),
        ("soft_targets(T=2)", "not part of an objective"),
        ("soft_targets(labels)", "not part of an objective"),
        ("soft_targets(1, 2)", "at most 1 numbers"),
        ("labels(1)", "at most 0 numbers"),
        ("__import__('os').system('x')", "not part of an objective"),
        ("labels.__class__", "not part of an objective"),
        ("1e999 * labels", "weight inf"),
    ],
)
def test_anything_else_is_refused_by_name(text, told):
    with pytest.raises(InvalidInput, match=told):
        parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "soft_targets(4) + 0.1 * hint('layers.2')",
        "hint('layers.0', 'layers.2') + cosine_hint('a')",
        "contrastive(0.1, 'a') + cka('a', 'b') + relation('a') + similarity('a')",
        "attention('a:map') + attention('a')",
        "explanation(':in') + explanation('embedding')",
        "ramp(0.0, 1.0) * soft_targets(2) + ramp(2.0, 0.0, 0.5, 1) * labels",
        "labels + own(soft_targets(2, 'exit'))",
        "peers(soft_targets(2)) + decoupled(4, 8) + correlation(1)",
    ],
)
def test_layers_ramps_and_other_teachers_are_written_back(text):
    assert str(parse(str(parse(text)))) == str(parse(text))


def test_who_teaches_and_which_layers_are_asked():
    goal = parse("soft_targets(2) + hint('a', 'b') + own(hint('c', 'd') + soft_targets(1, 'exit')) + explanation")
    assert goal.by == {"teacher", "own"}
    assert goal.taps == {"a", "c", "exit", "gradient@:in"}
    assert goal.taught_by("teacher") == {"b", "gradient@:in"}
    assert goal.taught_by("own") == {"d"}
    assert goal.temperatures == {2.0}


def test_ramps_move_along_a_line():
    goal = parse("2 * ramp(0, 1, 0, 0.5) * labels")
    values = [goal(STUDENT, REFERENCE, share) / value("labels") for share in (0, 0.25, 0.5, 1)]
    assert [float(v[0]) for v in values] == pytest.approx([0, 1, 2, 2])


def test_stars_pair_layers_at_the_same_depth():
    goal = parse("3 * hint('s.*', 't.*') + labels")
    names = {"s.*": ("s.0", "s.1", "s.2"), "t.*": tuple(f"t.{i}" for i in range(6))}
    out = spread(goal, names.__getitem__, lambda tap, by: names[tap])
    assert [(w, t.student, t.teacher) for w, t in out.parts[:3]] == [
        (1.0, "s.0", "t.1"),
        (1.0, "s.1", "t.3"),
        (1.0, "s.2", "t.5"),
    ]
    exits = spread(parse("3 * labels('s.*')"), names.__getitem__, lambda tap, by: names[tap])
    assert str(exits) == "labels('s.0') + labels('s.1') + labels('s.2')"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("hint", "takes the student's layer"),
        ("hint('a', 'b', 'c')", "takes the student's layer"),
        ("labels('a', 'b')", "at most one layer"),
        ("hint(2, 'a')", "at most 0 numbers"),
        ("ramp(0, 1)", "is a number"),
        ("ramp(0) * labels", "not part of an objective"),
        ("ramp(0, 0) * labels", "not both 0"),
        ("ramp(0, 1, 1, 0) * labels", "rise between 0 and 1"),
        ("ramp(0, 1) * ramp(0, 1) * labels", "no line any more"),
        ("own(2)", "not part of an objective"),
        ("peers()", "unknown"),
        ("'a'", "not part of an objective"),
    ],
)
def test_layers_and_ramps_are_refused_by_name(text, told):
    with pytest.raises(InvalidInput, match=told):
        parse(text)


def test_an_empty_sum_is_refused():
    with pytest.raises(InvalidInput, match="at least one term"):
        Objective(())


def test_every_term_says_how_many_numbers_it_takes():
    assert set(TERMS) == set(NUMBERS)


@pytest.mark.parametrize(
    ("text", "scale", "opened", "expected"),
    [
        ("faithful", "probability", True, "soft_targets(4) + 0.2 * explanation"),
        ("faithful", "probability", False, "soft_targets(4)"),
        ("faithful", "value", False, "logit_mse"),
        ("faithful", "value", True, "logit_mse + 0.2 * explanation"),
        ("0.5 * faithful + labels", "probability", True, "0.5 * soft_targets(4) + 0.1 * explanation + labels"),
        ("peers(faithful)", "probability", True, "peers(soft_targets(4))"),
        ("soft_targets(2)", "value", True, "soft_targets(2)"),
    ],
)
def test_faithful_becomes_what_a_teacher_allows(text, scale, opened, expected):
    assert str(parse(text).suited(scale, opened=opened)) == expected


def test_faithful_by_itself_is_softened_answers():
    z, teacher = torch.randn(5, 3), Reference.from_logits(torch.randn(5, 3), None, "probability")
    assert torch.equal(parse("faithful")(z, teacher), parse("soft_targets(4)")(z, teacher))
    with pytest.raises(InvalidInput, match="takes no layer"):
        parse("faithful('exits.0')")


@pytest.mark.parametrize("text", ["own(soft_targets(2))", "own(labels)", "own(hint('a'))", "labels + own(cka('c'))"])
def test_nothing_learns_from_itself(text):
    with pytest.raises(InvalidInput, match="with themselves"):
        parse(text)
