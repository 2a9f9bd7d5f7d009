"""Peers of bench distil: torchdistill 1.1.5 and TextBrewer 0.2.1 on the same pair, the same terms, the same batches.

They are installed without their dependencies into ``build/distil_peers`` (or where KDAUDIT_DISTIL_PEERS says) and
imported from there, after everything else: nothing of theirs takes the place of what kdaudit needs.
"""

import copy
import logging
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional

HERE = Path(__file__).parent
FOLDER = Path(os.environ.get("KDAUDIT_DISTIL_PEERS", HERE.parents[1] / "build" / "distil_peers"))
RATE = 3e-3
Steps = Callable[[int], None]
"""Takes so many steps."""


@cache
def there() -> bool:
    """Whether the peers can be imported; they are installed if they are not there, and left out where they cannot."""
    if not FOLDER.exists() and "KDAUDIT_DISTIL_PEERS" not in os.environ:
        fill = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", str(FOLDER)]
        done = subprocess.run(
            [*fill, "-r", str(HERE / "peers_distil.txt")], capture_output=True, text=True, check=False
        )
        if done.returncode:
            print(f"peers of distil: left out, they could not be installed: {done.stderr.strip()[-300:]}")
            return False
    if str(FOLDER) not in sys.path:
        sys.path.append(str(FOLDER))
    _declared()
    try:
        import textbrewer  # noqa: F401 - whether it is there
        import torchdistill  # noqa: F401
    except ImportError as error:
        print(f"peers of distil: left out, {error}")
        return False
    return True


@cache
def _declared() -> torch.library.Library:
    # torchvision from the package index expects a torch with CUDA; it asks for two operations that nothing here calls
    library = torch.library.Library("torchvision", "DEF")
    for name in ("nms", "qnms"):
        library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    return library


class Projected(nn.Module):
    """A network that gives a projection of its features beside its logits, as both peers want it."""

    def __init__(self, network: nn.Module, given: int = 0, wanted: int = 0) -> None:
        super().__init__()
        self.network = network
        self.projection = nn.Conv2d(given, wanted, 1, bias=False) if wanted else nn.Identity()
        self.both = False

    def forward(self, inputs, _=None):
        network = self.network
        features = network.second(network.pool(network.first(inputs)))
        projected, logits = self.projection(features), network.head(features.mean(dim=(2, 3)))
        return (logits, projected) if self.both else logits


def torchdistill(teacher: nn.Module, student: nn.Module, rows: tuple[torch.Tensor, torch.Tensor], batch: int) -> Steps:
    """Return the steps of torchdistill's own box."""
    from torchdistill.core.distillation import get_distillation_box

    logging.disable(logging.CRITICAL)
    inputs, labels = rows

    def side(*, learns: bool):
        hook = {"input": [], "output": ["projection"]}
        return {
            "forward_proc": "forward_batch_only",
            "sequential": [],
            "forward_hook": hook,
            "requires_grad": learns,
        }

    def end(*, teaches: bool):
        return {"is_from_teacher": teaches, "module_path": "projection", "io": "output"}

    paths = {f"{who}_module_path": "." for who in ("student", "teacher")}
    ends = {f"{who}_module_io": "output" for who in ("student", "teacher")}
    soft = {"key": "KDLoss", "kwargs": {**paths, **ends, "temperature": 4.0, "alpha": 0.5, "reduction": "batchmean"}}
    hint = {
        "criterion": {"key": "MSELoss", "kwargs": {"reduction": "mean"}},
        "criterion_wrapper": {
            "key": "SimpleLossWrapper",
            "kwargs": {"input": end(teaches=False), "target": end(teaches=True)},
        },
        "weight": 1.0,
    }
    terms = {"kd": {"criterion": soft, "weight": 1.0}, "hint": hint}
    sampler = {"class_or_func": torch.utils.data.RandomSampler}
    loader = {"dataset_id": "rows", "sampler": sampler, "kwargs": {"batch_size": batch, "drop_last": True}}
    config = {
        "num_epochs": 1,
        "train_data_loader": loader,
        "val_data_loader": {},
        "teacher": side(learns=False),
        "student": side(learns=True),
        "optimizer": {"key": "AdamW", "kwargs": {"lr": RATE, "weight_decay": 1e-2, "foreach": True}},
        "criterion": {"key": "WeightedSumLoss", "kwargs": {"sub_terms": terms}},
    }
    data = {"rows": torch.utils.data.TensorDataset(inputs, labels)}
    pair = copy.deepcopy(teacher).eval(), student
    box = get_distillation_box(*pair, data, config, torch.device("cpu"), None, False, 1)
    box.pre_epoch_process(epoch=0)

    def steps(n: int) -> None:
        for _ in range(n):
            chosen = torch.randperm(len(inputs))[:batch]
            loss = box.forward_process(inputs[chosen], labels[chosen], {})
            box.post_forward_process(loss=loss)
            loss.item()

    return steps


def textbrewer(teacher: nn.Module, student: nn.Module, rows: tuple[torch.Tensor, torch.Tensor], batch: int) -> Steps:
    """Return the steps of TextBrewer's general distiller, which writes each to a log as it always does."""
    from textbrewer import DistillationConfig, GeneralDistiller, TrainingConfig

    inputs, labels = rows
    teacher = copy.deepcopy(teacher)
    teacher.both = student.both = True

    def teachers(_, out):
        return {"logits": out[0], "hidden": [out[1].flatten(2)]}

    def students(given, out):
        return {**teachers(given, out), "losses": functional.cross_entropy(out[0], given[1])}

    place = tempfile.mkdtemp()
    match = {"layer_T": 0, "layer_S": 0, "feature": "hidden", "loss": "hidden_mse", "weight": 1}
    box = GeneralDistiller(
        TrainingConfig(device="cpu", log_dir=place, output_dir=place, ckpt_frequency=1),
        DistillationConfig(temperature=4, hard_label_weight=0.5, kd_loss_weight=0.5, intermediate_matches=[match]),
        teacher,
        student,
        teachers,
        students,
    )
    rate = torch.optim.AdamW(student.parameters(), lr=RATE, weight_decay=1e-2, foreach=True)
    rate, *_ = box.initialize_training(rate, None, None, None)
    box.model_S.train()
    box.model_T.eval()
    done = iter(range(10**9))

    def steps(n: int) -> None:
        for _ in range(n):
            chosen = torch.randperm(len(inputs))[:batch]
            total, parts = box.train_on_batch((inputs[chosen], labels[chosen]), {})
            box.write_loss(total, next(done), parts)
            total.backward()
            rate.step()
            rate.zero_grad()

    return steps
