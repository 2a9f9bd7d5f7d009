"""The store against a dictionary, and against everything that may happen to its files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kdaudit.domain import Domain, Text
from kdaudit.errors import BrokenRun, InvalidAnswers, InvalidInput, NoSuchSignal
from kdaudit.samples import Origin, Samples
from kdaudit.signal import LABEL, LOGIT, SCORE, Signal
from kdaudit.store import parts
from kdaudit.store.answers import Store
from kdaudit.subject import Answers, Identity

lists = st.lists(st.integers(-5, 5), max_size=12)
once = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@once
@given(asks=st.lists(lists, max_size=5), batch=st.integers(1, 7), on_disk=st.booleans())
def test_each_distinct_row_is_asked_once_and_answers_stay_aligned(asks, batch, on_disk, rows, fake, tmp_path_factory):
    folder = tmp_path_factory.mktemp("store") if on_disk else None
    store, subject, seen = Store(folder, batch=batch), fake(), set()
    for x in asks:
        answers = store.ask(subject, rows(x), (SCORE,))
        assert answers.values[LOGIT][:, 0].tolist() == x
        np.testing.assert_array_equal(answers.values[SCORE], answers.score)
        seen |= set(x)
    assert sorted(subject.asked) == sorted(seen)
    assert store.spent.get(subject.identity.digest, 0) == len(seen)
    assert store.used() == ({subject.identity.digest: len(seen)} if seen else {})
    assert all(size <= batch for size, _ in subject.calls)
    if on_disk:
        silent = fake(stop_after=0)
        for x in asks:
            assert Store(folder).ask(silent, rows(x), (LOGIT,)).values[LOGIT][:, 0].tolist() == x


def test_rows_are_asked_in_their_own_order(rows, fake):
    subject = fake()
    Store(batch=2).ask(subject, rows([3, 1, 3, 2, 1, 0]), (SCORE,))
    assert subject.asked == [3, 1, 2, 0]
    assert [size for size, _ in subject.calls] == [2, 2]


@pytest.mark.parametrize(
    ("offers", "scale", "wanted", "asked"),
    [
        ({SCORE, LABEL, LOGIT}, "probability", (LABEL,), {LOGIT}),
        ({SCORE, LABEL, LOGIT}, "probability", (SCORE, LABEL), {LOGIT}),
        ({SCORE, LABEL}, "probability", (LABEL,), {SCORE}),
        ({LABEL}, "probability", (LABEL,), {LABEL}),
        ({SCORE, LOGIT, LABEL}, "value", (SCORE, LABEL), {SCORE, LABEL}),
        ({LOGIT, Signal("hidden", "a.b")}, "probability", (SCORE, Signal("hidden", "a.b")), None),
    ],
)
def test_what_can_be_read_off_is_not_asked(offers, scale, wanted, asked, rows, fake, tmp_path):
    subject = fake(offers=frozenset(offers), scale=scale)
    store = Store(tmp_path)
    answers = store.ask(subject, rows([1, -1]), wanted)
    assert set(wanted) <= set(answers.values)
    assert subject.calls == [(2, frozenset(asked or offers))]
    for signal in wanted:
        store.ask(subject, rows([-1, 1]), (signal,))
    assert len(subject.calls) == 1


def test_a_further_signal_is_asked_alone(rows, fake, tmp_path):
    subject, hidden = fake(offers=frozenset({LOGIT, Signal("hidden", "../x")})), Signal("hidden", "../x")
    store = Store(tmp_path)
    store.ask(subject, rows([1, 2]), (LOGIT,))
    store.ask(subject, rows([1, 2]), (LOGIT, hidden))
    assert subject.calls[1:] == [(2, frozenset({hidden}))]
    assert len(list(tmp_path.rglob("*.parquet"))) == 2
    assert Store(tmp_path).ask(fake(offers=subject.offers, stop_after=0), rows([2]), (hidden,)).values[hidden] == [2]


def test_a_batch_of_which_one_signal_is_known_writes_only_what_is_new(rows, fake, tmp_path):
    hidden = Signal("hidden", "a")
    subject, store = fake(offers=frozenset({LOGIT, hidden})), Store(tmp_path)
    store.ask(subject, rows([1]), (LOGIT,))
    store.ask(subject, rows([1, 2]), (LOGIT, hidden))
    sizes = sorted((path.parent.name, len(parts.load(path).keys)) for path in tmp_path.rglob("part-*"))
    assert sizes == [("hidden@a-0", 2), ("logit-0", 1), ("logit-0", 1)]


def test_a_row_that_fails_has_no_value_of_any_signal(rows, fake):
    hidden = Signal("hidden", "a")
    subject, store = fake(offers=frozenset({LOGIT, hidden})), Store()
    store.ask(subject, rows([1, 2]), (LOGIT,))
    subject.shift = -102
    answers = store.ask(subject, rows([1, 2, 3]), (LOGIT, hidden))
    assert answers.failed == {0: "refused"}
    assert np.isnan(answers.values[LOGIT][0]).all() and np.isnan(answers.values[hidden][0])
    assert answers.values[LOGIT][1:, 0].tolist() == [2, -99]


def test_the_answer_does_not_depend_on_what_was_asked_before(rows, fake):
    first, second = Store(), Store()
    second.ask(fake(), rows([1, 2]), (LABEL,))
    a, b = (store.ask(fake(), rows([1, 2]), (SCORE,)) for store in (first, second))
    assert a.values[SCORE].tobytes() == b.values[SCORE].tobytes()


def test_draws_and_identities_are_kept_apart(rows, fake, tmp_path):
    store = Store(tmp_path)
    assert store.ask(fake(), rows([1]), (LOGIT,), 0).values[LOGIT] == 1
    assert store.ask(fake(), rows([1]), (LOGIT,), 2).values[LOGIT] == 2001
    assert store.ask(fake(identity=Identity("other", "0" * 64), shift=1), rows([1]), (LOGIT,)).values[LOGIT] == 2
    assert store.ask(fake(), rows([1]), (LOGIT,), 2).values[LOGIT] == 2001


def test_recorded_rows_go_by_id_and_content(rows, fake, tmp_path):
    subject = fake(identity=Identity("recorded", "a" * 64, by="id"))
    store = Store(tmp_path)
    store.ask(subject, rows([1, 1], ids=["a", "b"]), (SCORE,))
    assert subject.asked == [1, 1]
    store.ask(subject, rows([2], ids=["a"]), (SCORE,))  # the row was changed: its old answer is not its answer
    assert subject.asked == [1, 1, 2]
    again = Store(tmp_path).ask(
        fake(identity=subject.identity, stop_after=0), rows([1, 2, 1], ids=["b", "a", "a"]), (SCORE,)
    )
    assert again.values[LOGIT][:, 0].tolist() == [1, 2, 1]
    (sealed,) = store.seal(tmp_path / "sealed")
    assert sorted(map(str, parts.decode(sealed.read_bytes()).keys)) == sorted(
        f"{bytes(row.keys()).hex()}{row.ids[0]}" for row in (rows([1], ["a"]), rows([1], ["b"]), rows([2], ["a"]))
    )


def test_failed_rows_are_handed_back_and_asked_again(rows, fake, tmp_path):
    subject, store = fake(), Store(tmp_path, batch=2)
    answers = store.ask(subject, rows([1, -200, 2, -200, -300]), (SCORE, LABEL))
    assert answers.failed == {1: "refused", 3: "refused", 4: "refused"}
    assert np.isnan(answers.score[[1, 3, 4]]).all() and answers.values[LABEL].tolist() == [1, -1, 1, -1, -1]
    assert subject.asked == [1, -200, 2, -300]
    store.ask(subject, rows([-200]), (SCORE,))
    assert subject.asked[4:] == [-200]
    subject.shift = 500
    assert store.ask(subject, rows([-300, 1]), (LOGIT,)).values[LOGIT][:, 0].tolist() == [200, 1]
    part = parts.decode(store.seal(tmp_path / "sealed")[0].read_bytes())
    assert len(part.keys) == 4 and list(part.failed.values()) == ["refused"]
    assert store.used() == {subject.identity.digest: 4}


def test_only_failures_and_no_rows(rows, fake):
    subject, store = fake(outputs=("a", "b", "c")), Store()
    assert store.ask(subject, rows([-200]), (SCORE,)).score.shape == (1, 3)
    empty = store.ask(subject, rows([]), (SCORE, LABEL))
    assert empty.score.shape == (0, 3) and empty.label.shape == (0,) and not empty.failed


def test_an_interrupted_ask_loses_the_batch_in_flight_only(rows, fake, tmp_path):
    x = list(range(10))
    with pytest.raises(KeyboardInterrupt):
        Store(tmp_path, batch=3).ask(fake(stop_after=2), rows(x), (SCORE,))
    rest = fake()
    assert Store(tmp_path, batch=3).ask(rest, rows(x), (SCORE,)).values[LOGIT][:, 0].tolist() == x
    assert rest.asked == x[6:]


def test_the_answer_is_on_disk_before_it_is_returned(rows, fake, tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(28, "No space left on device")

    store = Store(tmp_path)
    monkeypatch.setattr(parts, "write_durably", refuse)
    with pytest.raises(OSError, match="No space"):
        store.ask(fake(), rows([1]), (SCORE,))
    monkeypatch.undo()
    subject = fake()
    store.ask(subject, rows([1]), (SCORE,))
    assert subject.asked == [1] and len(list(tmp_path.rglob("part-*"))) == 1


@pytest.mark.parametrize("harm", ["flip", "cut", "empty"])
def test_a_torn_part_is_named_and_only_its_rows_are_asked_again(harm, rows, fake, tmp_path):
    Store(tmp_path, batch=2).ask(fake(), rows([0, 1, 2, 3, 4]), (SCORE,))
    victim = sorted(tmp_path.rglob("*.parquet"))[0]
    data = bytearray(victim.read_bytes())
    data[len(data) // 2] ^= 1
    victim.write_bytes({"flip": bytes(data), "cut": bytes(data[:-7]), "empty": b""}[harm])
    store = Store(tmp_path)
    with pytest.raises(BrokenRun, match=f"{victim.name}.*[Dd]elete that file") as broken:
        store.ask(fake(), rows([0]), (SCORE,))
    assert broken.value.exit_code == 5
    victim.unlink()
    rest = fake()
    store.ask(rest, rows([0, 1, 2, 3, 4]), (SCORE,))
    assert 1 <= len(rest.asked) <= 2


def test_two_stores_on_one_folder(rows, fake, tmp_path):
    one, two, a, b = Store(tmp_path), Store(tmp_path), fake(), fake()
    one.ask(a, rows([1]), (SCORE,))
    two.ask(b, rows([2]), (SCORE,))
    two.ask(b, rows([1, 2, 3]), (SCORE,))
    one.ask(a, rows([3, 2, 1]), (SCORE,))
    assert a.asked + b.asked == [1, 2, 3]
    assert two.ask(b, rows([1]), (SCORE,)).values[LOGIT] == 1


def test_what_was_given_first_stays(rows, fake, tmp_path):
    one, two = Store(tmp_path), Store(tmp_path)
    one.ask(fake(), rows([7]), (SCORE,))
    two._shelf(fake(), "logit", 0)  # has read the folder
    other = Store(tmp_path / "elsewhere")
    other.ask(fake(shift=1), rows([7]), (SCORE,))
    part = next((tmp_path / "elsewhere").rglob("part-*"))
    (next(tmp_path.glob("f*/0/logit-0")) / part.name).write_bytes(part.read_bytes())
    assert one.ask(fake(), rows([7, 8]), (SCORE,)).values[LOGIT][:, 0].tolist() == [7, 8]


def test_sealing_is_deterministic_sorted_and_adds_up(rows, fake, tmp_path):
    whole, first, second = Store(tmp_path / "s", batch=2), Store(tmp_path / "s"), Store(tmp_path / "s")
    x = [5, 3, 1, 4, 2]
    whole.ask(fake(), rows(x), (SCORE,))
    (a,) = whole.seal(tmp_path / "a")
    assert a.relative_to(tmp_path / "a").as_posix() == f"{'f' * 16}/logit.parquet"
    first.ask(fake(), rows(x[:2]), (SCORE,))
    first.seal(tmp_path / "b")
    second.ask(fake(), rows(x[1:]), (SCORE,))
    (b,) = second.seal(tmp_path / "b")
    assert a.read_bytes() == b.read_bytes()
    part = parts.decode(a.read_bytes())
    keys = sorted(zip(rows(x).keys().tobytes().hex()[i : i + 32] for i in range(0, 160, 32)))
    assert part.keys.tobytes().hex() == "".join(k for (k,) in keys)
    assert part.about["outputs"] == ["above"] and part.about["identity"] == "f" * 64
    third = Store(tmp_path / "s")
    third.ask(fake(), rows([1]), (SCORE,))
    assert len(parts.decode(third.seal(tmp_path / "c")[0].read_bytes()).keys) == 1


@pytest.mark.parametrize("failed_first", [True, False])
def test_an_answer_beats_a_failure_when_sealed_by_two_processes(failed_first, rows, fake, tmp_path):
    for fails in (failed_first, not failed_first):
        store = Store()
        store.ask(fake(shift=-200 if fails else 0), rows([1, 2, 3]), (SCORE,))
        if fails:
            store.ask(fake(shift=-200), rows([4]), (SCORE,))
        (path,) = store.seal(tmp_path)
    part = parts.decode(path.read_bytes())
    assert len(part.keys) == 4 and list(part.failed.values()) == ["refused"]
    assert np.sort(part.values[:, 0])[:3].tolist() == [1, 2, 3] and np.isnan(part.values[next(iter(part.failed))])


def test_sealing_refuses_what_it_cannot_add_to(rows, fake, tmp_path):
    store = Store()
    store.ask(fake(), rows([1]), (SCORE,))
    (path,) = store.seal(tmp_path)
    other = Store()
    other.ask(fake(identity=Identity("other", "f" * 16 + "0" * 48)), rows([1]), (SCORE,))
    with pytest.raises(BrokenRun, match="another subject"):
        other.seal(tmp_path)
    path.write_bytes(b"PAR1")
    with pytest.raises(BrokenRun, match="delete it"):
        store.seal(tmp_path)


def test_refusals(rows, fake, tmp_path):
    class Liar(fake):
        def answer(self, samples, signals, draw=0):
            return Answers(super().answer(samples, signals, draw).values, {5: "?"})

    with pytest.raises(NoSuchSignal, match=r"fake cannot give logit; it offers label, score"):
        Store().ask(fake(offers=frozenset({SCORE, LABEL})), rows([1]), (LOGIT,))
    with pytest.raises(InvalidAnswers, match="not among its 1"):
        Store().ask(Liar(), rows([1]), (SCORE,))
    with pytest.raises(InvalidInput, match="batch = 0"):
        Store(batch=0)
    (tmp_path / "file").write_text("")
    with pytest.raises(InvalidInput, match="is a file"):
        Store(tmp_path / "file")
    with pytest.raises(InvalidInput, match="sha256"):
        Store("nowhere").ask(fake(identity=Identity("evil", "../up")), rows([1]), (SCORE,))


def test_labels_and_many_outputs_keep_their_types(rows, fake, tmp_path):
    for subject, signal in ((fake(offers=frozenset({LABEL})), LABEL), (fake(outputs=("a", "b")), LOGIT)):
        subject.identity = Identity("x", signal.kind)
        fresh = Store(tmp_path).ask(subject, rows([0.1, 1 / 3, -2]), (signal,)).values[signal]
        kept = Store(tmp_path).ask(subject, rows([0.1, 1 / 3, -2]), (signal,)).values[signal]
        assert kept.dtype == fresh.dtype == (np.int64 if signal == LABEL else np.float64)
        assert kept.tobytes() == fresh.tobytes() and kept.shape == fresh.shape


def test_handing_out_answers_gives_no_handle_on_the_kept_ones(rows, fake):
    store, subject = Store(), fake()
    store.ask(subject, rows([1, 2]), (LOGIT,)).values[LOGIT][:] = 9
    assert store.ask(subject, rows([1, 2]), (LOGIT,)).values[LOGIT][:, 0].tolist() == [1, 2]


def test_the_folder_may_be_text(rows, fake, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Store("answers").ask(fake(), rows([1]), (SCORE,))
    assert list(Path("answers").rglob("part-*.parquet"))
    assert not list(Path("answers").rglob("*.tmp"))


def test_many_texts_are_asked_by_length_and_answered_in_their_own_order():
    class Counting:
        identity, outputs, scale, form = Identity("t", "d" * 8), ("yes",), "probability", None
        offers = frozenset({SCORE})

        def __init__(self):
            self.seen = []

        def answer(self, samples, signals, draw=0):
            self.seen.append([len(t) for t in samples.columns["t"]])
            return Answers({SCORE: np.array([[len(t) / 100] for t in samples.columns["t"]])})

    lengths = np.random.default_rng(0).permutation(50) + 1
    told = np.array(["x" * n for n in lengths], dtype=object)
    rows = Samples(Domain((Text("t"),)), {"t": told}, np.arange(50), Origin("made"))
    subject = Counting()
    answers = Store(None, batch=20).ask(subject, rows, {SCORE})
    assert [len(part) for part in subject.seen] == [20, 20, 10]
    assert [n for part in subject.seen for n in part] == sorted(lengths)
    assert answers.score[:, 0] == pytest.approx(lengths / 100)
    few = Counting()
    Store(None, batch=50).ask(few, rows, {SCORE})
    assert few.seen == [lengths.tolist()]
