"""A teacher that is a federation: many clients' models, of which only a noised consensus on public rows is seen."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass

from kdaudit.chance import seed_of
from kdaudit.errors import InvalidInput
from kdaudit.question import Setting, TeacherRecipe
from kdaudit.teachers.consensus import KEPT, Consensus, check_numbers
from kdaudit.teachers.places import located
from kdaudit.teachers.privacy import Neighbours, epsilon_of, most_releases, mu_of

SHORTEST = 16
"""Bytes that a secret has at least."""
SHOWN = "the plan's seed, so whoever reads the plan can take the noise away; keep a `secret` file to make it count"
"""Who adds the noise, where there is no secret: enough to try a federation out, no protection."""


@dataclass(frozen=True)
class Federated:
    """The consensus of clients: each one's clipped logits, summed under normal noise.

    Every distinct row that is asked is a release and costs privacy; all rows of an audit compose, and its account tells
    the loss.  With `epsilon` the loss is a budget: no more rows are asked than it allows.

    Parameters
    ----------
    clients : tuple of TeacherRecipe
        At least two, each a teacher of its own.
    clip : float
        Longest (centred) logit vector that a client may give.
    noise : float
        Standard deviation of the noise as a multiple of `clip`; with 0 nothing is private.
    epsilon : float, optional
        Largest privacy loss of the audit, at `delta`; None for any.
    delta : float
        Well below one over the number of clients.
    neighbours : {"joined", "replaced"}
        What must look alike: a federation with one client more, or with another client in the place of one.
    secret : str
        File of at least 16 random bytes that draws the noise, below the plan's folder or absolute.  Without one the
        plan's seed does, and who reads the plan can take the noise away.
    name : str
        For people.

    Raises
    ------
    InvalidInput
        If a number is out of range, there are fewer than two clients, or `epsilon` allows no row at all.
    """

    clients: tuple[TeacherRecipe, ...]
    clip: float
    noise: float
    epsilon: float | None = None
    delta: float = 1e-5
    neighbours: Neighbours = "replaced"
    secret: str = ""
    name: str = "consensus"

    def __post_init__(self) -> None:
        check_numbers(self.name, self.clip, self.noise, self.delta)
        if len(self.clients) < 2:
            raise InvalidInput(f"{self.name} has {len(self.clients)} clients; at least 2 were expected")
        if self.releases == 0:
            raise InvalidInput(
                f"{self.name}: with noise {self.noise:g} one row alone costs more than epsilon {self.epsilon:g} at "
                f"delta {self.delta:g}; raise the noise or epsilon"
            )

    @property
    def releases(self) -> int | None:
        """Most distinct rows that may be asked; None for any number."""
        return None if self.epsilon is None else most_releases(self.epsilon, self.delta, self.noise, self.neighbours)

    def loss(self, rows: int) -> float:
        """Return epsilon after so many distinct rows; infinite without noise."""
        return epsilon_of(self.delta, mu_of(rows, self.noise, self.neighbours))

    def told(self, rows: int) -> str:
        """Return what so many distinct rows cost, in words."""
        loss = self.loss(rows)
        cost = f"cost epsilon {loss:.3g} at delta {self.delta:g}" if math.isfinite(loss) else "leave nothing private"
        return f"{self.name}: {rows:,} rows released {cost}"

    def open(self, setting: Setting) -> Consensus:
        """Open all clients and return their consensus.

        Raises
        ------
        InvalidInput
            As the clients do, if they do not answer alike, or the secret cannot be read or is too short.
        """
        return Consensus(
            [client.open(setting) for client in self.clients],
            clip=self.clip,
            noise=self.noise,
            secret=self._secret(setting),
            delta=self.delta,
            neighbours=self.neighbours,
            releases=self.releases,
            name=self.name,
            added_by=KEPT if self.secret else SHOWN,
        )

    def _secret(self, setting: Setting) -> int:
        if not self.secret:
            return seed_of(setting.seed, f"teachers/{self.name}/noise")
        content = located(self.secret, setting.folder).read_bytes()
        if len(content) < SHORTEST:
            raise InvalidInput(
                f"secret {self.secret} has {len(content)} bytes; at least {SHORTEST} random ones were expected"
            )
        return int.from_bytes(hashlib.sha256(content).digest()[:16], "big")
