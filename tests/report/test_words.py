import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kdaudit.finding import Transfer, Verdict
from kdaudit.interval import Interval, counted, unknown
from kdaudit.report.words import GLOSSARY, clean, contrast_words, cut, listed, number, short, span, whole


@given(st.floats(-2, 2))
def test_points_have_one_decimal_and_a_true_minus(x):
    text = number(x, "points", bare=True)
    sign, _, digits = text.rpartition("−")
    assert (float(digits) * (-1 if text.startswith("−") else 1)) == pytest.approx(x * 100, abs=0.0501)
    assert sign == "" and "-" not in text and len(text.split(".")[1]) == 1
    assert text != "−0.0"


def test_a_number_that_is_not_known_is_no_number():
    assert number(math.nan, "percent") == "not known"
    assert whole(unknown("no such row")) == "not known (no such row)"


def test_counts_of_whole_pools_say_so():
    assert whole(counted(0.25, 7000), "percent") == "25.0 % (exact: all 7,000 rows)"


def test_an_interval_of_no_width_that_was_not_counted_does_not_pass_as_exact():
    assert span(Interval(0.5, 0.5, 0.5, 10, 0.95, "Wilson"), "percent") == "50.0 to 50.0"


def test_every_value_carries_interval_and_n():
    assert whole(Interval(-0.104, -0.115, -0.093, 1200), "points", signed=True) == (
        "−10.4 points (−11.5 to −9.3; n 1,200)"
    )


@pytest.mark.parametrize("bad", ["\x1b[31m", "\x9b31m", "\u202e", "\x00", "\x07", "\u2066"])
def test_what_steers_a_terminal_or_turns_text_is_made_visible(bad):
    assert clean(f"a{bad}b").startswith("a\ufffd") and bad[0] not in clean(bad)


def test_ordinary_letters_of_all_scripts_stay():
    text = "Straße 中文 עברית − é ✓"
    assert clean(text) == text


def test_lists_tell_how_many_are_left_out():
    assert listed(("a", "b", "c"), 2) == "a; b; and 1 more"
    assert listed(("a",)) == "a"


def test_contrasts_and_digests_and_long_labels():
    assert contrast_words("sex: female - male") == "sex: female − male"
    assert short("9f3a" * 16) == "9f3a9f…9f3a"
    assert len(cut("x" * 50, 20)) == 20


def test_the_glossary_explains_every_verdict_and_transfer_that_is_printed():
    words = {word for word, _ in GLOSSARY}
    assert {str(v) for v in Verdict} | {"CARRIED", "MASKED", "INVENTED", str(Transfer.ABSENT)} <= words
