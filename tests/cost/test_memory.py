"""Peak memory of processes that answer."""

import numpy as np
import pytest

from kdaudit.cost.memory import _write, peak_memory, read_rows, settled
from kdaudit.domain import Domain, Real, Text
from kdaudit.errors import KdauditError
from kdaudit.networks.files import save
from kdaudit.samples import Origin, Samples


def test_rows_come_to_the_process_as_they_are(rows, tmp_path):
    samples = rows(20)
    _write(samples, tmp_path)
    assert np.array_equal(read_rows(tmp_path).keys(), samples.keys())
    domain = Domain((Real("x", missing=True), Text("t")))
    texts = Samples(domain, {"x": np.array([1.0, np.nan]), "t": np.array(["ä", "b"], object)}, np.arange(2), Origin(""))
    _write(texts, tmp_path)
    assert np.array_equal(read_rows(tmp_path).keys(), texts.keys())


@pytest.mark.slow
def test_a_network_takes_at_least_its_weights(rows, network, tmp_path):
    large = network((2048, 2048))
    weights = 4 * large.form.parameters
    save(large, tmp_path)
    found = peak_memory(tmp_path, rows(300))
    assert weights <= found.taken < 8 * weights
    assert found.empty > 2**20


def test_a_small_proxy_takes_little_whatever_it_loads(rows, network, ruled):
    found = settled(network((8,)), rows(100))
    assert found.known and 0 <= found.value < 20 and "two processes" in found.method
    assert "no body" in settled(ruled(None, "closed"), rows(3)).method


def test_a_subject_takes_its_body(rows, tmp_path):
    (tmp_path / "opening.py").write_text(OPENING)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(tmp_path))
        assert peak_memory("opening:small", rows(30)).taken < 2**23
        assert peak_memory("opening:large", rows(30)).taken > 2**26
        with pytest.raises(KdauditError, match="cannot be opened"):
            peak_memory("opening:broken", rows(3))


def test_what_is_no_subject_says_why(rows):
    with pytest.raises(KdauditError, match="No module named"):
        peak_memory("no.such:place", rows(3))


OPENING = """
class Subject:
    def __init__(self, size):
        self.body = b"x" * size
    def answer(self, samples, signals):
        return len(samples)

def small():
    return Subject(1000)

def large():
    return Subject(2**27)

def broken():
    raise ValueError("this subject cannot be opened")
"""
