"""What calls cost, for bench_compare: CPU seconds beside the passes alone, and memory at its peak."""

import ctypes
import time
from pathlib import Path

import torch


def cpu(function, repeats: int = 5) -> float:
    """Return the least CPU seconds of some repetitions."""
    times = []
    for _ in range(repeats):
        start = time.process_time()
        function()
        times.append(time.process_time() - start)
    return min(times)


def cpus(functions, repeats: int) -> list[float]:
    """Return the least CPU seconds of each function, all of them in turn, so that they meet the same machine."""
    times = [[] for _ in functions]
    for _ in range(repeats):
        for function, found in zip(functions, times, strict=True):
            found.append(cpu(function, 1))
    return [min(found) for found in times]


def best_pass(module, rows, sizes, *, backward: bool) -> float:
    """Return the CPU seconds of a row at the best size of a batch."""
    out = []
    for size in sizes:
        batch = rows[torch.arange(size) % len(rows)].clone()
        times = max(1, 4096 // size) if rows.ndim == 2 else 1

        def once(batch=batch, times=times):
            for _ in range(times):
                if backward:
                    leaf = batch.detach().requires_grad_()
                    torch.autograd.grad(module(leaf)[:, 0].sum(), leaf)
                else:
                    with torch.no_grad():
                        module(batch)

        out.append(cpu(once) / size / times)
    return min(out)


class Peak:
    """Most memory above that at the start, in MB, as the system itself keeps the mark."""

    def __enter__(self):
        # what earlier work took and freed would hide what this takes
        ctypes.CDLL(None).malloc_trim(0)
        Path("/proc/self/clear_refs").write_text("5")
        self._start = _told("VmRSS")
        return self

    def __exit__(self, *_: object) -> None:
        self.mb = max(0, _told("VmHWM") - self._start) / 2**10


def _told(name: str) -> int:
    line = next(one for one in Path("/proc/self/status").read_text().splitlines() if one.startswith(name))
    return int(line.split()[1])
