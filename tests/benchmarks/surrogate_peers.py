"""Peers of bench surrogates, run by the Python of their own environment.

Reads one JSON request from standard input: ``runs`` (name and leaves of each peer), ``seed, X, y, fresh``, where y are
the teacher's decisions on the rows of X.  Writes by ``"name leaves"``: decisions on ``fresh``, the fidelity that the
peer itself reports or null, and its size.
"""

import json
import sys
import warnings

import numpy as np


class Expert:
    """Answers the rows that were recorded; Trustee asks about no others."""

    def __init__(self, X, y):
        self.known = {row.tobytes(): label for row, label in zip(X, y, strict=True)}

    def predict(self, X):
        return np.array([self.known[row.tobytes()] for row in np.ascontiguousarray(X, dtype=np.float64)])


def trustee(X, y, leaves, seed):
    from trustee import ClassificationTrustee

    np.random.seed(seed)
    peer = ClassificationTrustee(expert=Expert(X, y))
    # half of the rows a round: with its default it refuses fewer than 2,000 rows
    peer.fit(
        X, y, max_leaf_nodes=leaves, num_iter=50, num_stability_iter=5, samples_size=0.5, top_k=leaves, verbose=False
    )
    tree, _, _, reported = peer.explain(top_k=leaves)
    return tree, float(reported), int(tree.get_n_leaves())


def figs(X, y, leaves, seed):
    from imodels import FIGSClassifier

    peer = FIGSClassifier(max_rules=leaves - 1, random_state=seed).fit(X, y)
    return peer, None, len(peer.get_rules())


def main():
    asked = json.load(sys.stdin)
    X, y = np.array(asked["X"], dtype=np.float64), np.array(asked["y"])
    fresh = np.array(asked["fresh"], dtype=np.float64)
    out = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, leaves in asked["runs"]:
            peer, reported, size = {"trustee": trustee, "figs": figs}[name](X, y, leaves, asked["seed"])
            decided = np.asarray(peer.predict(fresh)).tolist()
            out[f"{name} {leaves}"] = {"decided": decided, "reported": reported, "size": size}
    json.dump(out, sys.stdout)


if __name__ == "__main__":
    main()
