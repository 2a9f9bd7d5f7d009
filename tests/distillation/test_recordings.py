import numpy as np
import pytest
import torch

from kdaudit.distillation.recordings import FULL, TOP, read, record, top_targets
from kdaudit.errors import BrokenRun, InvalidInput
from kdaudit.objective.reference import Reference
from kdaudit.objective.terms import soft_targets


def told(n, k, views=1, seed=0, spread=2.0):
    draw = torch.Generator().manual_seed(seed)
    logits = spread * torch.randn(views, n, k, generator=draw)
    hidden = torch.randn(views, n, 4, 2, 2, generator=draw)

    def give(view):
        for start in range(0, n, 7):
            block = slice(start, min(n, start + 7))
            yield block, {"": logits[view, block], "layers.0:in": hidden[view, block]}

    return logits, hidden, give


def test_rows_and_views_come_back_in_half_precision(tmp_path):
    logits, hidden, give = told(20, 10, views=3)
    made = record(tmp_path / "r", give, rows=20, views=3, teacher="t")
    rows = torch.tensor([4, 19, 4])
    given = made.take(rows, view=5, outcome=torch.arange(20))
    slow = logits[2][rows] - logits[2][rows].mean(dim=1, keepdim=True)
    assert torch.allclose(given.logit, slow, atol=5e-3)
    assert torch.allclose(given.score, torch.softmax(logits[2][rows], dim=1), atol=2e-3)
    assert torch.allclose(given.taps["layers.0:in"], hidden[2][rows], atol=2e-3)
    assert given.outcome.tolist() == [4, 19, 4]
    assert sum(f.stat().st_size for f in (tmp_path / "r").glob("*.f16")) == 2 * 60 * (10 + 16)


def test_the_same_recording_is_not_made_again_and_another_is_refused(tmp_path):
    _, _, give = told(20, 10)
    record(tmp_path, give, rows=20, teacher="t")

    def never(view):
        raise AssertionError

    assert record(tmp_path, never, rows=20, teacher="t") == read(tmp_path)
    with pytest.raises(BrokenRun, match="another teacher"):
        record(tmp_path, never, rows=20, teacher="u")
    (tmp_path / "outputs.f16").write_bytes(b"short")
    with pytest.raises(BrokenRun, match="no whole recording"):
        read(tmp_path)
    with pytest.raises(BrokenRun, match="no whole recording"):
        read(tmp_path / "nowhere")


def test_an_unfinished_recording_is_made_anew(tmp_path):
    _, _, give = told(20, 10)

    def dies(view):
        yield next(give(view))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        record(tmp_path, dies, rows=20)
    assert torch.isfinite(record(tmp_path, give, rows=20).take(torch.arange(20)).logit).all()


def test_of_many_outputs_the_likeliest_are_kept_with_the_mass_of_all_others(tmp_path):
    k = FULL + 500
    logits, _, give = told(12, k)
    made = record(tmp_path, give, rows=12)
    with pytest.raises(InvalidInput, match="top_targets"):
        made.take(torch.arange(2))
    rows = torch.arange(12)
    reference = made.top(rows)
    student = torch.randn(12, k, generator=torch.Generator().manual_seed(5))
    out = []
    for i in range(12):
        p, q = (torch.softmax(z.double(), dim=0).numpy() for z in (logits[0, i], student[i]))
        top = np.argsort(-p)[:TOP]
        rest = np.setdiff1d(np.arange(k), top)
        pairs = [(p[c], q[c]) for c in top] + [(p[rest].sum(), q[rest].sum())]
        out.append(sum(a * np.log(a / b) for a, b in pairs))
    given = top_targets()(student, reference).numpy()
    assert given == pytest.approx(out, abs=5e-3)
    # grouping classes never makes two laws look more different
    whole = soft_targets(1)(student, Reference.from_logits(logits[0], None, "probability"))
    assert (given <= whole.numpy() + 5e-3).all()
    assert torch.allclose(reference.score.sum(dim=1), torch.ones(12), atol=5e-3)


def test_what_cannot_be_recorded_is_told(tmp_path):
    def nan(view):
        yield slice(0, 1), {"": torch.tensor([[float("nan"), 0.0]])}

    def twice(view):
        yield slice(0, 1), {"": torch.zeros(1, 2), "a_b": torch.zeros(1), "a:b": torch.zeros(1)}

    with pytest.raises(InvalidInput, match="no finite number"):
        record(tmp_path / "a", nan, rows=1)
    with pytest.raises(InvalidInput, match="both make the file"):
        record(tmp_path / "b", twice, rows=1)
    with pytest.raises(InvalidInput, match="nothing to record"):
        record(tmp_path / "c", nan, rows=0)
    with pytest.raises(InvalidInput, match="temperature 1 only"):
        top_targets(2)
