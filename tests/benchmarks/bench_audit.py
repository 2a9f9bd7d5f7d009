"""What an audit costs and what its self-reported figures are worth."""

import statistics
import time

import numpy as np

from kdaudit.domain import Category, Domain, Real
from kdaudit.samples import Origin, Samples

REPEATS = 5


def run(report, full: bool) -> None:
    keys(report)


def keys(report, rows: int = 1_000_000) -> None:
    """Seconds to key a million rows of 30 columns, 20 reals and 10 categories, on one core."""
    draw = np.random.default_rng(0)
    levels = tuple(f"level {i}" for i in range(12))
    reals = tuple(Real(f"r{i}", missing=True) for i in range(20))
    categories = tuple(Category(f"c{i}", levels, missing=True) for i in range(10))
    columns = {f.name: draw.normal(size=rows) for f in reals}
    columns |= {f.name: draw.integers(-1, len(levels), rows, dtype=np.int32) for f in categories}
    domain = Domain(reals + categories)
    seconds = []
    for _ in range(REPEATS):
        samples = Samples(domain, columns, np.arange(rows), Origin("drawn at random"))
        start = time.process_time()  # of this process, whatever else the machine does
        samples.keys()
        seconds.append(time.process_time() - start)
    report.figure(
        "seconds to key 1,000,000 rows of 30 columns",
        statistics.median(seconds),
        low=min(seconds),
        high=max(seconds),
        n=REPEATS,
        target="<= 5",
    )
