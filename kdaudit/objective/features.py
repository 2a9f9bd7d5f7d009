"""Terms of layers: pure functions of what a student's and a teacher's layer gave for the same rows.

Tensors are vectors (n, width), tokens (n, tokens, width) or maps (n, channels, height, width); where the two differ in
kind or in the number of positions, positions are averaged away (see `aligned`).  A token that is 0 throughout is
padding (see `kdaudit.networks.taps`) and left out.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

from kdaudit.errors import InvalidInput
from kdaudit.objective.terms import GRADIENT, Term

ANGLES = 2.0
"""Weight of angles beside distances, as in Park et al. 2019."""


def aligned(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """Return both with the same positions: maps pooled to the coarser grid, other pairs as vectors where they differ.

    Widths are left as they are.
    """
    if a.ndim == b.ndim == 4:
        grid = (min(a.shape[2], b.shape[2]), min(a.shape[3], b.shape[3]))
        pooled = [x if x.shape[2:] == grid else functional.adaptive_avg_pool2d(x, grid) for x in (a, b)]
        return pooled[0], pooled[1]
    if a.ndim == b.ndim and a.shape[1:-1] == b.shape[1:-1]:
        return a, b
    return vectors(a), vectors(b)


def vectors(x: Tensor) -> Tensor:
    """Return one vector a row, shape (n, width): the mean over positions that are there."""
    if x.ndim == 4:
        return x.mean(dim=(2, 3))
    if x.ndim < 3:
        return x.reshape(len(x), -1)
    tokens = x.flatten(1, -2)
    return tokens.sum(dim=1) / _there(tokens).sum(dim=1, keepdim=True).clamp_min(1)


def _there(tokens: Tensor) -> Tensor:
    """Return 1 for tokens and 0 for padding, shape (n, tokens)."""
    return (tokens != 0).any(dim=-1).to(tokens.dtype)


def _over_tokens(apart: Tensor, teacher: Tensor) -> Tensor:
    """Return the mean over the teacher's tokens of numbers of shape (n, tokens)."""
    there = _there(teacher)
    return (apart * there).sum(dim=1) / there.sum(dim=1).clamp_min(1)


def width_of(x: Tensor) -> int:
    """Return the width that a projection works on: channels of maps, else the last size."""
    return x.shape[1] if x.ndim == 4 else x.shape[-1]


def _same_width(name: str, a: Tensor, b: Tensor) -> None:
    if width_of(a) != width_of(b):
        raise InvalidInput(
            f"{name}: the student's layer has width {width_of(a)} and the teacher's {width_of(b)}; "
            "a learned projection is bound before training, or layers of one width are named"
        )


def hint(at: str = "", teacher: str = "") -> Term:
    """Return the squared difference of two layers, averaged over their numbers; see `projects` of `Term` for widths.

    Parameters
    ----------
    at, teacher : str
        Tap of the student, and of the teacher where it has another name.

    References
    ----------
    Romero, Ballas, Kahou, Chassang, Gatta and Bengio 2015, equation 3.
    """

    def value(a: Tensor, b: Tensor) -> Tensor:
        a, b = aligned(a, b)
        _same_width("hint", a, b)
        apart = functional.mse_loss(a, b, reduction="none")
        return _over_tokens(apart.mean(dim=2), b) if a.ndim == 3 else apart.flatten(1).mean(dim=1)

    def mean(a: Tensor, b: Tensor) -> Tensor:
        a, b = aligned(a, b)
        _same_width("hint", a, b)
        return functional.mse_loss(a, b) if a.ndim != 3 else value(a, b).mean()

    return Term("hint", value, student=at, teacher=teacher or at, projects=True, mean=mean)


def cosine_hint(at: str = "", teacher: str = "") -> Term:
    """Return one minus the cosine between two layers, averaged over positions; otherwise as `hint`.

    References
    ----------
    Sanh, Debut, Chaumond and Wolf 2019, section 3 (hidden states of the two models).
    """

    def value(a: Tensor, b: Tensor) -> Tensor:
        a, b = aligned(a, b)
        _same_width("cosine_hint", a, b)
        apart = 1 - functional.cosine_similarity(a, b, dim=1 if a.ndim == 4 else -1)
        return _over_tokens(apart, b) if a.ndim == 3 else apart.reshape(len(a), -1).mean(dim=1)

    return Term("cosine_hint", value, student=at, teacher=teacher or at, projects=True)


def similarity(at: str = "", teacher: str = "") -> Term:
    """Return how differently rows resemble each other: squared difference of normalised products, mean over the others.

    The mean over rows is the published loss.  No projection is needed, whatever the two widths are.

    References
    ----------
    Tung and Mori 2019, equations 1 to 4.
    """

    def value(a: Tensor, b: Tensor) -> Tensor:
        products = [functional.normalize(x @ x.T, dim=1) for x in (a.flatten(1), b.flatten(1))]
        return ((products[0] - products[1]) ** 2).mean(dim=1)

    return Term("similarity", value, student=at, teacher=teacher or at, pairs=True)


def relation(at: str = "", teacher: str = "") -> Term:
    """Return how differently rows lie to each other: distances over their mean, and twice the angles at each row.

    Differences go through the Huber function; the value of a row is the mean over the pairs in which it stands, so
    that the mean over rows is the published loss.

    References
    ----------
    Park, Kim, Lu and Cho 2019, equations 5 to 10.
    """

    def value(a: Tensor, b: Tensor) -> Tensor:
        _enough_rows("relation", a, 3)
        a, b = a.flatten(1), b.flatten(1)
        far = functional.smooth_l1_loss(_distances(a), _distances(b), reduction="none").mean(dim=1)
        wide = functional.smooth_l1_loss(_angles(a), _angles(b), reduction="none").mean(dim=(1, 2))
        return far + ANGLES * wide

    return Term("relation", value, student=at, teacher=teacher or at, pairs=True)


def _distances(x: Tensor) -> Tensor:
    squares = (x**2).sum(dim=1)
    squared = (squares[:, None] + squares[None] - 2 * x @ x.T).clamp_min(0)
    squared = squared * (1 - torch.eye(len(x), dtype=x.dtype, device=x.device))
    # the root has no slope at 0, where a row meets itself or its copy
    apart = torch.where(squared > 0, torch.sqrt(squared.clamp_min(1e-12)), torch.zeros_like(squared))
    count = (apart > 0).sum().clamp_min(1)
    return apart / (apart.sum() / count).clamp_min(1e-12)


def _angles(x: Tensor) -> Tensor:
    """Return cosines of shape (n, n, n): at row j, between the directions to rows i and k."""
    apart = x[None] - x[:, None]
    squared = (apart**2).sum(dim=2, keepdim=True)
    # a row has no direction to its copy; an epsilon instead of 0 there would make slopes of 1e12
    towards = apart * torch.where(squared > 1e-12, squared.clamp_min(1e-12).rsqrt(), torch.zeros_like(squared))
    return towards @ towards.transpose(1, 2)


def contrastive(temperature: float = 0.1, at: str = "", teacher: str = "") -> Term:
    """Return how hard a row's teacher vector is to find among those of the batch, in nats.

    Cross-entropy of the cosines between the student's vector of a row and the teacher's of all rows, divided by the
    temperature.  No memory bank: the other rows of the batch are what it is told apart from.

    References
    ----------
    Tian, Krishnan and Isola 2020 (with a bank); van den Oord, Li and Vinyals 2018, equation 4.
    """
    if not (math.isfinite(temperature) and temperature > 0):
        raise InvalidInput(f"contrastive({temperature:g}) is not possible; a temperature is a number above 0")
    tau = float(temperature)

    def value(a: Tensor, b: Tensor) -> Tensor:
        _enough_rows("contrastive", a, 2)
        _same_width("contrastive", a, b)
        a, b = (functional.normalize(vectors(x), dim=1) for x in (a, b))
        own = torch.arange(len(a), device=a.device)
        return functional.cross_entropy(a @ b.T / tau, own, reduction="none")

    return Term("contrastive", value, frozenset(), (tau,), at, teacher or at, projects=True, pairs=True)


def cka(at: str = "", teacher: str = "") -> Term:
    """Return one minus the debiased linear centred kernel alignment: one value a batch, in every row of it.

    The estimate without bias is used: the plain one is .8 between independent layers of 256 units on 64 rows.

    References
    ----------
    Kornblith, Norouzi, Lee and Hinton 2019; Nguyen, Raghu and Kornblith 2021, equation 3.
    """

    def value(a: Tensor, b: Tensor) -> Tensor:
        _enough_rows("cka", a, 4)
        k, m = (x.flatten(1) @ x.flatten(1).T for x in (a, b))
        both = _hsic(k, m) / torch.sqrt((_hsic(k, k) * _hsic(m, m)).clamp_min(1e-24))
        return (1 - both).expand(len(a))

    return Term("cka", value, student=at, teacher=teacher or at, pairs=True)


def _hsic(k: Tensor, m: Tensor) -> Tensor:
    n = len(k)
    off = 1 - torch.eye(n, dtype=k.dtype, device=k.device)
    k, m = k * off, m * off
    trace = (k * m).sum()
    means = k.sum() * m.sum() / ((n - 1) * (n - 2))
    rows = 2 * (k.sum(dim=0) @ m.sum(dim=0)) / (n - 2)
    return (trace + means - rows) / (n * (n - 3))


def explanation(at: str = ":in", teacher: str = "") -> Term:
    """Return one minus the cosine between the gradients of the teacher's likeliest class, of student and teacher.

    Parameters
    ----------
    at, teacher : str
        What the gradient is taken by: ``":in"``, the encoded input; or a layer, such as the embedding of a text.

    References
    ----------
    Parchami-Araghi, Böhle, Rao and Schiele 2024 (e2KD), equation 2; here with plain gradients.
    """

    def value(a: Tensor, b: Tensor) -> Tensor:
        if a[0].numel() != b[0].numel():
            raise InvalidInput(
                f"explanation: the student's input has shape {tuple(a.shape[1:])} and the teacher's "
                f"{tuple(b.shape[1:])}; gradients can be compared where both see a row in the same numbers"
            )
        return 1 - functional.cosine_similarity(a.flatten(1), b.flatten(1), dim=1)

    return Term("explanation", value, student=GRADIENT + at, teacher=GRADIENT + (teacher or at))


def _enough_rows(name: str, a: Tensor, fewest: int) -> None:
    if len(a) < fewest:
        raise InvalidInput(f"{name} compares rows with each other and needs at least {fewest}; there are {len(a)}")
