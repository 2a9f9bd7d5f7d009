"""What calls cost, for bench_compare: CPU seconds beside the passes alone, and memory at its peak."""

import ctypes
import os
import threading
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
    """Most memory above that at the start, in MB, looked at every 2 ms."""

    def __enter__(self):
        # what earlier work took and freed would hide what this takes
        ctypes.CDLL(None).malloc_trim(0)
        self._start, self._most, self._stop = _resident(), 0, False
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def _watch(self) -> None:
        while not self._stop:
            self._most = max(self._most, _resident())
            time.sleep(0.002)

    def __exit__(self, *_: object) -> None:
        self._stop = True
        self._thread.join()
        self.mb = max(0, self._most - self._start) / 2**20


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
