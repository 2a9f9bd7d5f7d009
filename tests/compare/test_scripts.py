from types import SimpleNamespace

import pytest

from kdaudit.compare.fidelities import Fidelity
from kdaudit.compare.scripts import examine
from kdaudit.errors import InvalidInput


def subject(name, *outputs):
    return SimpleNamespace(outputs=outputs, identity=SimpleNamespace(name=name))


@pytest.mark.parametrize("seat", ["proxy", "control", "ceiling"])
def test_classes_in_another_order_are_refused(seat):
    teacher, wrong = subject("teacher", "cat", "dog"), subject("small", "dog", "cat")
    seats = {"proxy": subject("proxy", "cat", "dog")} | {seat: wrong}
    proxy = seats.pop("proxy")
    with pytest.raises(InvalidInput, match="small answers with dog, cat and teacher with cat, dog; the same outputs"):
        examine(Fidelity(), teacher, proxy, None, **seats)
