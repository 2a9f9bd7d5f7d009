"""What a step costs: against a loop written by hand with the same terms, and soft targets over many classes."""

import time

import distil_peers
import numpy as np
import torch
from distil_peers import Projected
from sklearn.datasets import load_digits
from torch import nn
from torch.nn import functional

from kdaudit.distillation.looking import Shown, look
from kdaudit.distillation.training import Lesson, Schedule, Told, Training
from kdaudit.objective.reference import Reference
from kdaudit.objective.sum import parse
from kdaudit.objective.terms import soft_targets

T, STEPS, ROUNDS = 4.0, 100, 5
BATCHES = (32, 128)
OBJECTIVE = f"0.5 * labels + 0.5 * soft_targets({T:g}) + hint('second')"


class Cnn(nn.Module):
    """Two blocks of convolutions: a teacher of 445,000 weights, a student of 9,400 with its projection."""

    def __init__(self, width, depth):
        super().__init__()

        def block(given, wide):
            layers = []
            for i in range(depth):
                layers += [nn.Conv2d(given if i == 0 else wide, wide, 3, padding=1, bias=False)]
                layers += [nn.BatchNorm2d(wide), nn.ReLU()]
            return nn.Sequential(*layers)

        self.first, self.second = block(1, width), block(width, 2 * width)
        self.pool, self.head = nn.MaxPool2d(2), nn.Linear(2 * width, 10)

    def forward(self, inputs):
        return self.head(self.second(self.pool(self.first(inputs))).mean(dim=(2, 3)))


def digits():
    torch.manual_seed(0)
    found = load_digits()
    rows = torch.tensor(found.images[:1078, None] / 16, dtype=torch.float32), torch.tensor(found.target[:1078])
    return rows, Cnn(64, 3).eval().requires_grad_(requires_grad=False), Cnn(16, 1)


def by_hand(student, rows, guide, batch):
    """The loop that everybody writes: labels, softened answers and a projected hint, AdamW, half a cosine."""
    inputs, labels = rows
    projection = nn.Conv2d(32, 128, 1, bias=False)
    kept = {}
    handle = student.second.register_forward_hook(lambda module, given, out: kept.update(out=out))
    weights = [*student.parameters(), *projection.parameters()]
    rate = torch.optim.AdamW(weights, 3e-3, weight_decay=1e-2, foreach=True)
    plan = torch.optim.lr_scheduler.CosineAnnealingLR(rate, STEPS)
    student.train()
    for _ in range(STEPS):
        chosen = torch.randperm(len(inputs))[:batch]
        logits, features = guide(chosen)
        out = student(inputs[chosen])
        soft = functional.kl_div(
            functional.log_softmax(out / T, 1), functional.softmax(logits / T, 1), reduction="batchmean"
        )
        hard = functional.cross_entropy(out, labels[chosen])
        loss = 0.5 * hard + 0.5 * T**2 * soft + functional.mse_loss(projection(kept["out"]), features)
        if not torch.isfinite(loss):
            raise ArithmeticError
        rate.zero_grad()
        loss.backward()
        rate.step()
        plan.step()
    handle.remove()


def ours(student, inputs, teaching, batch):
    Training(Lesson([student], parse(OBJECTIVE), inputs, teaching), Schedule(STEPS, batch), 0).run()


def seconds(run, make):
    """CPU seconds of one run; what it needs is made before."""
    given = make()
    start = time.process_time()
    run(*given)
    return time.process_time() - start


def steps(report, batch) -> None:
    """Time of a step, recorded and with the teacher in the loop, beside the loop by hand and beside peers."""
    rows, teacher, _ = digits()
    inputs, labels = rows
    kept = look(teacher, inputs, ["second"], None)
    with torch.no_grad():
        logits = teacher(inputs)
    told = Told(Reference.from_logits(logits, labels, "probability", kept).prepared([T]))

    def live(chosen):
        seen = {}
        handle = teacher.second.register_forward_hook(lambda module, given, out: seen.update(out=out))
        with torch.no_grad():
            given = teacher(inputs[chosen])
        handle.remove()
        return given, seen["out"]

    def student():
        return digits()[2]

    shown = Shown(teacher, ["second"], outcome=labels)
    cases = {
        "hand, live": (by_hand, lambda: (student(), rows, live, batch)),
        "ours, live": (ours, lambda: (student(), inputs, shown, batch)),
        "hand, recorded": (by_hand, lambda: (student(), rows, lambda at: (logits[at], kept["second"][at]), batch)),
        "ours, recorded": (ours, lambda: (student(), inputs, told, batch)),
    }
    peers = (distil_peers.torchdistill, distil_peers.textbrewer) if distil_peers.there() else ()
    for peer in peers:
        pair = lambda peer=peer: (  # noqa: E731 - made anew for each round, as all others
            peer(Projected(teacher), Projected(student(), 32, 128), rows, batch),
        )
        cases[f"{peer.__name__}, live"] = (lambda steps: steps(STEPS), pair)
    spent = {name: [] for name in cases}
    for _ in range(ROUNDS):
        for name, (run, make) in cases.items():
            spent[name].append(seconds(run, make))
    best = {name: min(values) for name, values in spent.items()}
    for name, value in best.items():
        report.figure(f"step of {batch} rows, {name}, CPU ms", 1000 * value / STEPS, n=ROUNDS)
    ratios = {
        "step over a loop by hand, teacher in the loop": ("ours, live", "hand, live", "<= 1.05"),
        "step over a loop by hand, recorded answers": ("ours, recorded", "hand, recorded", "<= 1.05"),
        "recorded answers: times faster than a loop by hand": ("hand, live", "ours, recorded", ""),
    }
    for peer in peers:
        what = f"recorded answers: times faster than {peer.__name__}"
        ratios[what] = (f"{peer.__name__}, live", "ours, recorded", ">= 3.5")
    for what, (one, other, target) in ratios.items():
        report.figure(f"{batch} rows, {what}", best[one] / best[other], n=ROUNDS, target=target)


def many_classes(report, n: int = 128, classes: int = 30_522) -> None:
    """Soft targets with recorded probabilities against the divergence of log-softmaxes, forward and backward."""
    draw = torch.Generator().manual_seed(0)
    logits, theirs = torch.randn(n, classes, generator=draw), 3 * torch.randn(n, classes, generator=draw)
    recorded, term = Reference.from_logits(theirs, None, "probability").prepared([T]), soft_targets(T)

    def run(loss):
        z = logits.clone().requires_grad_()
        value = loss(z)
        value.backward()
        return value.detach(), z.grad

    def plain(z):
        left, right = functional.log_softmax(z / T, 1), functional.log_softmax(theirs / T, 1)
        return T**2 * functional.kl_div(left, right, log_target=True, reduction="batchmean")

    both = {"kl_div": plain, "ours": lambda z: term(z, recorded).mean()}
    (one, slope), (other, tilt) = (run(loss) for loss in both.values())
    assert torch.allclose(one, other, rtol=1e-4), (one, other)
    assert torch.allclose(slope, tilt, atol=1e-7)
    spent = {name: [] for name in both}
    for _ in range(20):
        for name, loss in both.items():
            spent[name].append(seconds(run, lambda loss=loss: (loss,)))
    ratios = np.array(spent["kl_div"]) / np.array(spent["ours"])
    report.figure(
        "soft targets, 128 x 30,522: CPU ms", 1000 * min(spent["ours"]), peer=1000 * min(spent["kl_div"]), n=20
    )
    report.figure(
        "soft targets, 128 x 30,522: times faster than kl_div",
        min(spent["kl_div"]) / min(spent["ours"]),
        low=float(np.quantile(ratios, 0.1)),
        high=float(np.quantile(ratios, 0.9)),
        n=20,
        target=">= 2",
    )


def run(report) -> None:
    """Say all figures of this file."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        many_classes(report)
        for batch in BATCHES:
            steps(report, batch)
    finally:
        torch.set_num_threads(threads)
