"""Rules as tables, and the way of a row: followed by hand through what the table says."""

import numpy as np
import pytest

from kdaudit.surrogates.lists import rule_list
from kdaudit.surrogates.surrogate import Surrogate
from kdaudit.surrogates.targets import ask_for_targets
from kdaudit.surrogates.trees import tree
from kdaudit.surrogates.votes import _sets
from kdaudit.surrogates.ways import rule_table, ways


@pytest.fixture
def bodies(behaviour, draw_rows, planted_ask):
    rows = draw_rows(400)
    rng = np.random.default_rng(0)
    votes = list(_sets(behaviour, ask_for_targets(behaviour, rows, planted_ask), 5))[-1]
    return [
        tree(behaviour, rows, planted_ask, leaves=6, rng=rng),
        tree(behaviour, rows, planted_ask, leaves=6, fields=2, rng=rng),
        rule_list(behaviour, rows, planted_ask, rules=5, rng=rng),
        Surrogate("votes", votes, behaviour.domain),
    ]


def test_one_table_serves_every_family(bodies, draw_rows):
    fresh = draw_rows(100, 1)
    for body in bodies:
        table = rule_table(body, fresh)
        assert list(table.columns) == ["rule", "text", "terms", "yes", "made_from", "n", "share"]
        assert table["terms"].sum() >= body.rules.terms
        if body.rules.family != "set":
            assert table["n"].sum() == 100
        answers = np.zeros(100)
        held = body.rules.held(fresh)
        for _, row in table.iterrows():
            answers += held[:, row["rule"] - 1] * row["yes"]
        np.testing.assert_allclose(answers, body.rules.evaluate(fresh)[:, 0])


def test_the_way_of_a_row_ends_where_its_answer_comes_from(bodies, draw_rows):
    fresh = draw_rows(40, 2)
    for body in bodies:
        found = ways(body, fresh)
        which = body.rules.which(fresh)
        for at, name in enumerate(fresh.ids.tolist()):
            own = found[found["id"] == name]
            said = own[own["answers"]]
            assert said["passed"].all()
            if body.rules.family != "set":
                assert set(said["rule"]) == {which[at] + 1}
                assert own["rule"].max() == which[at] + 1
            score = sum(body.rules.rules[rule - 1].score[0] for rule in sorted(set(said["rule"])))
            assert score == pytest.approx(body.rules.evaluate(fresh)[at, 0])
            # every rule before it in a list failed at its last test told
            for rule, part in own.groupby("rule"):
                assert part["passed"].iloc[:-1].all()
                assert part["answers"].all() == part["passed"].iloc[-1]
                assert rule >= 1


def test_values_are_told_by_name(bodies, draw_rows):
    fresh = draw_rows(60, 3)
    found = ways(bodies[0], fresh)
    jobs = found[found["field"] == "job"]
    names = dict(zip(fresh.ids.tolist(), fresh.level("job"), strict=True))
    assert len(jobs)
    for _, row in jobs.iterrows():
        assert row["value"] == names[row["id"]] or (row["value"] is None and names[row["id"]] is None)
