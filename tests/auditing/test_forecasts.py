"""How long a question takes is told before it begins, in the plan's price and in the audit's progress."""

import itertools
from types import SimpleNamespace

import pytest

from kdaudit.auditing.audits import Options, audit, read_plan
from kdaudit.auditing.forecasts import duration, forecast, work_of
from kdaudit.auditing.pricing import price
from kdaudit.cast import Cast, Empty
from kdaudit.compare.attributions import STAGES, Attribution
from kdaudit.data.sets import load_set
from kdaudit.encoding import Encoding
from kdaudit.explain.forgetting import MOST_STAGES
from kdaudit.networks.architectures import build
from kdaudit.networks.network import Network

PLAN = """\
kdaudit: 1
title: Which fields?
seed: 1
samples: {set: acs_income, parts: {a: 60, strangers: 60, fit: 60, select: 30, judge: 60, pool: 10}}
behaviours:
  - {name: high pay, outputs: ["above 50,000"]}
teacher: {name: scorer, kind: trained, steps: 20, batch: 32, part: a, hidden: [6], strangers: 1}
proxies:
  - {name: small, kind: student, hidden: [4], steps: 20}
compare:
  - {name: slopes, kind: attribution, rows: 10}
  - {name: shares, kind: attribution, method: shapley, rows: 4, background: 2, evaluations: 32}
budget:
  questions: 500
"""


@pytest.fixture(scope="module")
def rows():
    return load_set("acs_income").take(list(range(40)))


def network(rows, name, seed):
    encoding = Encoding.fitted(rows)
    module = build("mlp", {"inputs": encoding.width, "outputs": 1, "hidden": [4]}, seed)
    return Network(name, module, encoding, ("yes",))


def cast_of(rows):
    teacher = network(rows, "teacher", 0)
    return Cast(teacher, network(rows, "proxy", 1), network(rows, "stranger", 2), Empty("no twin"))


def test_time_is_evaluations_times_what_one_takes_here(rows):
    recipe = Attribution("shapley", rows=10, evaluations=64, background=4)
    each, teacher = work_of(recipe, rows, 4)
    # every look at the clock is a tenth of a second later: sixteen rows take as long
    ticks = itertools.count(step=0.1)
    told = forecast(recipe, cast_of(rows), rows, clock=lambda: next(ticks))
    assert told == f"about {duration((3 * each + teacher) * 0.1 / 16)} for {each:,} evaluations of each of 3 networks"


def test_work_counts_rows_coalitions_lenders_and_tests(rows):
    fields = len(rows.domain.names)
    order = 2 * (fields + 1) * 10 * 4
    assert Attribution("shapley", rows=10, evaluations=64, background=4).work(rows, 3) == (
        10 * 64 * 4 + 2 * order,
        4 * order + (8 + STAGES) * 10 * 64 * 4,
    )
    assert Attribution("integrated_gradients").work(rows, 3) == (0, 0)
    assert STAGES == MOST_STAGES


def test_nothing_is_told_of_questions_without_work_or_of_closed_models(rows):
    closed = SimpleNamespace(work=lambda samples, seats: (100, 0))
    nobody = Empty("none")
    assert forecast(Attribution("gradient"), cast_of(rows), rows) == ""
    assert forecast(closed, Cast(nobody, nobody, nobody, nobody), rows) == ""
    assert work_of(SimpleNamespace(), rows, 4) == (0, 0)


@pytest.mark.parametrize(("seconds", "words"), [(0.01, "a second"), (12.3, "12 s"), (240, "4 min"), (7200, "2.0 h")])
def test_seconds_are_said_as_people_do(seconds, words):
    assert duration(seconds) == words


def test_price_and_progress_tell_it_before(tmp_path):
    file = tmp_path / "audit.yaml"
    file.write_text(PLAN, encoding="utf-8")
    notes = [note for note in price(read_plan(file), None).warnings if "evaluates each network" in note]
    assert len(notes) == 1 and notes[0].startswith("compare/shares evaluates each network in place about ")
    told = []
    audit(file, out=tmp_path / "runs", options=Options(tell=told.append))
    shares = [line for line in told if line.startswith("compare/shares")]
    slopes = [line for line in told if line.startswith("compare/slopes")]
    assert shares[0].startswith("compare/shares: small, about ") and shares[0].endswith("of 3 networks")
    assert slopes == ["compare/slopes: small"]
