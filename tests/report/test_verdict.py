from dataclasses import replace

import pytest

from kdaudit.finding import Severity, Transfer, Verdict
from kdaudit.report.contrasts import contrasts, measure_words, saving
from kdaudit.report.verdict import box, headline


def only(run, *verdicts):
    """The run with just the findings about the teacher of these verdicts."""
    keep = tuple(f for f in run.findings if f.transfer is Transfer.NONE or f.verdict in verdicts)
    return replace(run, findings=keep)


@pytest.mark.parametrize(
    ("kept", "expected"),
    [
        (tuple(Verdict), Verdict.FAILS),
        ((Verdict.HOLDS, Verdict.UNDECIDED), Verdict.UNDECIDED),
        ((Verdict.HOLDS,), Verdict.HOLDS),
        ((), Verdict.UNDECIDED),
    ],
)
def test_one_fault_fails_and_one_gap_leaves_it_open(run, kept, expected):
    assert headline(only(run, *kept)).verdict is expected


def test_faults_of_a_proxy_alone_are_no_faults_of_the_teacher(run):
    held = only(run, Verdict.HOLDS)
    broken = tuple(replace(f, verdict=Verdict.FAILS) if f.transfer is Transfer.NONE else f for f in held.findings)
    assert headline(replace(held, findings=broken)).verdict is Verdict.HOLDS


def test_where_the_teacher_was_not_asked_about_claims_about_proxies_are_counted(run):
    alone = only(run)
    (told,) = headline(alone).further
    held = sum(f.verdict is Verdict.HOLDS for f in alone.findings)
    assert told.startswith(f"Of {len(alone.findings)} claim") and "about the proxies" in told
    assert f"{held} hold" in told


def test_a_question_that_could_not_be_asked_is_never_a_pass(run):
    held = only(run, Verdict.HOLDS)
    account = {**held.account, "failed_questions": [{"question": "probes/age", "reason": "no budget"}]}
    head = headline(replace(held, account=account))
    assert head.verdict is Verdict.UNDECIDED
    assert any("probes/age" in limit for limit in box(replace(held, account=account)).limits)


def test_the_answer_is_the_strongest_fault_in_its_own_words(run):
    assert headline(run).sentence == "Female is scored above the line 10.4 points less often than male."
    raised = tuple(replace(f, severity=Severity.HIGH) if f.group == "race: Black - white" else f for f in run.findings)
    assert headline(replace(run, findings=raised)).sentence.startswith("Black is scored")


def test_what_is_hidden_invented_and_undecided_is_told_with_the_proxy_that_does_it(run):
    further = headline(run).further
    assert further[0] == "Of 4 claims about the teacher, 2 fail, 1 holds and 1 is undecided."
    others, hidden, invented, unclear = further[1:]
    assert others.startswith("Failing too: race: Black − white, rate difference (")
    assert "student" in hidden and "race: Black − white" in hidden and "tree" not in hidden
    assert "Invented by the student" in invented and "age: 60 and more − 30 to 44" in invented
    assert "birthplace" in unclear and "2,900" in unclear


def test_each_claim_stands_once_with_its_proxies_in_the_order_of_the_plan(run):
    found = contrasts(replace(run, findings=run.findings[::-1]))
    assert len(found) == 4
    assert all([s.proxy_name for s in c.shown] == ["student", "tree"] for c in found)


def test_limits_name_where_it_is_valid_and_what_was_not_tested(run):
    limits = " ".join(box(run).limits)
    assert "acs_income" in limits and "age >= 18" in limits and "Other years than 2018" in limits


def test_a_teacher_that_moved_is_told_in_the_box(run):
    account = {**run.account, "epoch": {"moved": True, "sentence": "A new epoch begins."}}
    assert "A new epoch begins." in box(replace(run, account=account)).limits


def test_what_plain_sampling_would_need_follows_from_the_width(run):
    context = {"contrasts": {"a": {"width_ratio": 0.5, "strangers_width_ratio": 0.6}, "b": {"width_ratio": 1.02}}}
    base = next(f for f in run.findings if f.teacher.known)
    asked = replace(base, asked=1000, group="a", measure="rate", teacher=replace(base.teacher, n=1000))
    endless = replace(asked, proxy=replace(asked.proxy, n=1000))
    assert saving(context, endless) == "plain sampling would need about 4,000 (width × 0.50; with a stranger × 0.60)"
    # 1 / (1 / 7000 + (1 / 1000 - 1 / 7000) / 4) = 2,800: all rows of a pool are never needed twice over
    assert saving(context, replace(asked, proxy=replace(asked.proxy, n=7000))).startswith(
        "plain sampling would need about 2,800"
    )
    assert saving(context, replace(asked, group="b")) == "the proxy saved no questions here"
    assert saving(context, replace(asked, group="c")) == saving({}, asked) == saving({"contrasts": 3}, asked) == ""
    assert saving({"contrasts": {"rate": {"width_ratio": 0.5}}}, asked).startswith("plain sampling")
    assert saving({"contrasts": {"a": {"width_ratio": None}}}, asked) == ""


def test_a_measure_with_many_titles_is_called_by_its_name():
    assert measure_words("selection_rate_difference", ("women", "men")) == "Selection rate difference"
    assert measure_words("agreement", ("Same decision", "Same decision")) == "Same decision"
