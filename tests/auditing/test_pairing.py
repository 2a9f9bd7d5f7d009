"""Questions that read answers are about proxies that give answers, questions about differences about the others."""

from dataclasses import dataclass
from types import SimpleNamespace

import pytest

from kdaudit.auditing.pairing import chosen
from kdaudit.auditing.source import Source
from kdaudit.behaviour import Contrast
from kdaudit.errors import InvalidPlan

PROXIES = {"tree": SimpleNamespace(), "where": SimpleNamespace(contrast=Contrast("sex", "female", "male"))}
ANSWERS, DIFFERENCES = SimpleNamespace(), SimpleNamespace(reads="contrast")


@dataclass
class Plan:
    """A source that tells where it was found wrong."""

    def wrong(self, path, message):
        return InvalidPlan(f"{'/'.join(map(str, path))}: {message}")


PLACE = (Plan(), ("compare", 0))


def test_all_that_fit_are_taken():
    assert chosen(None, ANSWERS, PROXIES, PLACE) == ("tree",)
    assert chosen(None, DIFFERENCES, PROXIES, PLACE) == ("where",)
    assert chosen("tree", ANSWERS, PROXIES, PLACE) == ("tree",)


@pytest.mark.parametrize(
    ("named", "question", "proxies", "says"),
    [
        (["where"], ANSWERS, PROXIES, "'where' does not"),
        (["tree"], DIFFERENCES, PROXIES, "'tree' does not"),
        (["tre"], ANSWERS, PROXIES, "no proxy 'tre'"),
        (None, DIFFERENCES, {"tree": SimpleNamespace()}, "none of the proxies"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(named, question, proxies, says):
    with pytest.raises(InvalidPlan, match=says):
        chosen(named, question, proxies, PLACE)


def test_a_plan_is_a_source():
    assert callable(Source.wrong)
