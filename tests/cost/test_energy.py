"""Energy: what is measured, what is modelled, and what is not known."""

import pytest

from kdaudit.cost.energy import counter, measured, modelled
from kdaudit.cost.sizes import size
from kdaudit.errors import InvalidInput
from kdaudit.rules import Rule, Rules


def package(folder, at, start, span):
    place = folder / f"intel-rapl:{at}"
    place.mkdir()
    (place / "energy_uj").write_text(f"{start}\n")
    (place / "max_energy_range_uj").write_text(f"{span}\n")
    return place / "energy_uj"


def test_counters_are_read_and_may_run_full(tmp_path):
    first, second = package(tmp_path, 0, 1000, 10_000), package(tmp_path, 1, 9_990, 10_000)
    package(tmp_path, "0:0", 0, 10_000)  # a part of the first, which counts it already

    def call():
        first.write_text(str(int(first.read_text()) + 5))
        second.write_text(str((int(second.read_text()) + 3) % 10_000))

    found = measured(call, calls=10, counters=tmp_path)
    assert found.label == "measured"
    assert found.joule == pytest.approx(8e-6)


def test_without_a_counter_nothing_is_known(tmp_path):
    found = measured(lambda: None, calls=1, counters=tmp_path)
    assert (found.joule, found.label) == (None, "unknown")
    (tmp_path / "intel-rapl:0").mkdir()
    assert measured(lambda: None, calls=1, counters=tmp_path).label == "unknown"
    with pytest.raises(InvalidInput, match="none"):
        measured(lambda: None, calls=0)


def test_a_model_is_called_one(rows, network, ruled):
    counted = size(network((64,)), rows(5))
    found = modelled(counted)
    assert found.label == "modelled" and "Horowitz" in found.source
    assert found.joule == pytest.approx((4 * 64 + 64) * 4.6e-12)
    assert modelled(counted, "int8").joule == pytest.approx(found.joule / 20)
    leaf = Rules("tree", (Rule((), (0.5,)),), ("above",))
    assert modelled(size(ruled(leaf), rows(5))).label == "unknown"
    with pytest.raises(InvalidInput, match="precisions"):
        modelled(counted, "float8")


def test_what_is_counted_twice_is_told_if_both_agree(tmp_path):
    place, step = package(tmp_path, 0, 0, 10**9), iter([5] * 20)

    def call():
        place.write_text(str(int(place.read_text()) + next(step)))

    found = counter(call, calls=10, counters=tmp_path)
    assert found.value == pytest.approx(5e-3) and found.low <= found.value <= found.high and "RAPL" in found.method
    step = iter([5] * 10 + [50] * 10)
    assert "too busy" in counter(call, calls=10, counters=tmp_path).method
    (tmp_path / "none").mkdir()
    assert "no energy counter" in counter(call, calls=1, counters=tmp_path / "none").method
