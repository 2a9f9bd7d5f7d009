"""Who teaches: the consensus of clients.  Of a client only its clipped answer to a public row leaves, under noise."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kdaudit.chance import rng
from kdaudit.digest import of_data
from kdaudit.errors import InvalidInput, NoSuchSignal, OverBudget
from kdaudit.samples import Samples
from kdaudit.signal import LABEL, LOGIT, SCORE, Signal, Signals
from kdaudit.store.keys import row_keys
from kdaudit.subject import Answers, Identity, Subject
from kdaudit.teachers.ensembles import basis_of, by_of, check_alike
from kdaudit.teachers.privacy import Neighbours, epsilon_of, mu_of

KEPT = "whoever holds the secret; floating-point noise, not hardened"
"""Who adds the noise, where the secret is kept apart."""


class Consensus:
    """The mean of several clients' logits on public rows: each clipped, and normal noise on their sum.

    What it protects is whether a *client* took part.  It does not protect one person inside a client's data; that
    needs private training there.  Every public row is a release, and releases compose: `privacy` gives epsilon for all
    rows answered so far.  The same row gets the same noise, so that asking twice tells nothing new.  Floating-point
    noise is not hardened against attacks on its last bits.

    Parameters
    ----------
    clients : sequence of Subject
        At least two, with the same outputs in the same order.  They are asked here and nowhere else: their own answers
        are not kept, only the noised mean goes to the store.
    clip : float
        Longest logit vector (centred) that a client may give; longer ones are shortened.
    noise : float
        Standard deviation of the noise, as a multiple of `clip`; 0 for none, and then nothing is private.
    secret : int
        Draws the noise.  Whoever knows it can take the noise away: it is kept by whoever adds the noise, and it is no
        seed of a plan.
    delta : float
        Chance beyond which epsilon need not hold; well below one over the number of clients.
    neighbours : {"joined", "replaced"}
    releases : int, optional
        Most public rows that may be answered; None for any number.
    name : str
    added_by : str
        Who adds the noise, in words.

    Raises
    ------
    InvalidInput
        If the clients do not answer alike or a number is out of range.

    References
    ----------
    Li and Wang 2019 (FedMD, without privacy); Dwork and Roth 2014, appendix A (Gaussian mechanism).
    """

    form = None

    def __init__(  # noqa: PLR0913 - each is a line of the privacy statement
        self,
        clients: Sequence[Subject],
        *,
        clip: float,
        noise: float,
        secret: int,
        delta: float = 1e-5,
        neighbours: Neighbours = "replaced",
        releases: int | None = None,
        name: str = "consensus",
        added_by: str = KEPT,
    ) -> None:
        check_alike(clients, name)
        check_numbers(name, clip, noise, delta)
        if clients[0].scale == "value":
            raise InvalidInput(f"{name}: clients answer with numbers; a consensus is taken of class probabilities")
        self.clients, self.clip, self.noise, self.delta = tuple(clients), clip, noise, delta
        self.neighbours, self.releases, self.added_by, self._secret = neighbours, releases, added_by, secret
        self.outputs, self.scale = clients[0].outputs, clients[0].scale
        self._answered: set[str] = set()
        parts = [[client.identity.digest for client in clients], clip, noise, of_data(["secret", secret]), neighbours]
        self.identity = Identity(name, of_data(parts), basis_of(clients), by_of(clients))

    @property
    def offers(self) -> frozenset[Signal]:
        """Logits, scores and decisions, all of the noised mean."""
        return frozenset({LOGIT, SCORE, LABEL})

    def answer(self, samples: Samples, signals: Signals, draw: int = 0) -> Answers:  # noqa: ARG002 - one noise a row
        """Answer public rows; see `kdaudit.subject.Subject.answer`.

        Raises
        ------
        OverBudget
            If more rows would be released than allowed; nothing is released then.
        """
        asked = frozenset(signals)
        if missing := asked - self.offers:
            raise NoSuchSignal(f"{self.identity.name} does not offer {', '.join(sorted(map(str, missing)))}")
        keys = self._names(samples)
        after = self._answered | set(keys)
        if self.releases is not None and len(after) > self.releases:
            raise OverBudget(
                f"{self.identity.name} would release {len(after)} public rows, and {self.releases} are allowed; "
                "ask about fewer rows",
                needed=len(after) - len(self._answered),
                left=self.releases - len(self._answered),
            )
        total = np.zeros((len(samples), len(self.outputs)))
        for client in self.clients:
            given = client.answer(samples, (LOGIT if LOGIT in client.offers else SCORE,))
            # a client that cannot answer adds nothing: whether it could is its secret too
            vectors = np.where(given.answered[:, None], _clipped(given.logit, self.clip), 0.0)
            total += vectors
        self._answered = after
        out = Answers({LOGIT: (total + self._noise(keys)) / len(self.clients)})
        values: dict[Signal, Any] = {LOGIT: out.logit, SCORE: out.score, LABEL: out.label}
        return Answers({signal: values[signal] for signal in asked})

    def _names(self, samples: Samples) -> list[str]:
        """Return what is one release: a row's content, and its id too where a client tells rows apart by their ids."""
        keys = row_keys(self.identity, samples)
        return [key if isinstance(key, str) else bytes(key).hex() for key in keys.tolist()]

    def _noise(self, names: list[str]) -> NDArray[np.float64]:
        k, spread = len(self.outputs), self.noise * self.clip
        drawn = [rng(self._secret, f"consensus/{name}").normal(0.0, 1.0, k) for name in names]
        return np.reshape(drawn, (len(names), k)) * spread

    def privacy(self, samples: Samples | None = None) -> dict[str, Any]:
        """Return what can be said of a client's privacy after all rows released so far, as plain data.

        Parameters
        ----------
        samples : Samples, optional
            Rows whose answers were released before and are kept somewhere, such as in a store: they count too.  What
            other processes released of other rows is not known here.

        Returns
        -------
        dict
            ``epsilon`` is None where there is no noise: then nothing is private.
        """
        kept = set() if samples is None else set(self._names(samples))
        return self.statement(len(self._answered | kept))

    def statement(self, releases: int) -> dict[str, Any]:
        """Return what so many released rows tell of a client, as plain data; see `privacy`."""
        epsilon = epsilon_of(self.delta, mu_of(releases, self.noise, self.neighbours))
        return {
            "unit": "client",
            "neighbours": self.neighbours,
            "epsilon": epsilon if math.isfinite(epsilon) else None,
            "delta": self.delta,
            "clip": self.clip,
            "noise": self.noise,
            "releases": releases,
            "clients": len(self.clients),
            "protects": "whether a client took part; not a person inside a client's data",
            "added_by": self.added_by,
        }

    def card(self, samples: Samples) -> dict[str, Any]:
        """Return what the card of a student says that learned these rows."""
        return {"privacy": self.privacy(samples)}


def check_numbers(name: str, clip: float, noise: float, delta: float) -> None:
    """Refuse numbers that make no mechanism."""
    if not (math.isfinite(clip) and clip > 0 and math.isfinite(noise) and noise >= 0 and 0 < delta < 1):
        raise InvalidInput(
            f"{name}: clip {clip:g}, noise {noise:g}, delta {delta:g}; clip is above 0, noise from 0 up and delta "
            "between 0 and 1"
        )


def _clipped(logit: NDArray[np.float64], clip: float) -> NDArray[np.float64]:
    """Return centred logits of length at most `clip`; what is no number counts as nothing."""
    centred = logit - logit.mean(axis=1, keepdims=True) if logit.shape[1] > 1 else logit
    centred = np.where(np.isfinite(centred), centred, 0.0)
    length = np.sqrt((centred**2).sum(axis=1, keepdims=True))
    out: NDArray[np.float64] = centred * np.minimum(1.0, clip / np.maximum(length, 1e-300))
    return out
