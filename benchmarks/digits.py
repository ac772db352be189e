"""Training speed on scikit-learn's digits: the C target, the NumPy target, NumPy by hand, and JAX, in one process.

The network is 64-64-32-10 with ReLU and cross-entropy, batches of 32 rows, momentum 0.9, weight decay 1e-4, float32.
An epoch is a fresh shuffle, then gather and step for every batch of 32 (the 5 rows that remain are dropped). The
columns take turns on one core with one thread, each with one epoch that is measured after one that is not; so what
disturbs the machine disturbs all of them, and ratios are taken within a turn. All four must have the same parameters
after three steps, or nothing is measured.

    python benchmarks/digits.py [--turns 200] [--out out/bench_digits.json]
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

if __name__ == "__main__":  # before NumPy and JAX are imported
    for variable in ("OMP", "MKL", "OPENBLAS", "NUMEXPR", "VECLIB"):
        os.environ[f"{variable}_NUM_THREADS"] = "1"
    os.environ["JAX_PLATFORMS"] = "cpu"
    os.environ["XLA_FLAGS"] = f"--xla_cpu_multi_thread_eigen=false {os.environ.get('XLA_FLAGS', '')}"
    sys.path[:0] = [str(Path(__file__).resolve().parents[1])]

import numpy as np

from benchmarks.bench_symbackprop import Column

Array = np.ndarray[Any, Any]
Arrays = list[Array]

WORKLOAD = {
    "dims": [64, 64, 32, 10], "act": "relu", "loss": "ce", "batch": 32, "opt": "mom", "lr": 0.01, "mu": 0.9, "wd": 1e-4,
}  # fmt: skip
BATCH = 32
LR, MU, DECAY = (np.float32(WORKLOAD[name]) for name in ("lr", "mu", "wd"))
RESTART = 20
"""Turns after which every column starts anew, so that all work on the same numbers and none on denormals."""
AT_LEAST_NUMPY, AT_MOST_JAX = 5.0, 1.5


class Contender(Protocol):
    """One way to train."""

    def reset(self, P: Arrays) -> None:
        """Start from W, b, W, b, ... with W (in, out)."""

    def epoch(self, perm: Array | None = None) -> None:
        """One epoch in the order `perm`, or in a fresh one."""

    def params(self) -> Arrays:
        """The parameters, as `reset` takes them."""


class ByHand:
    """A training step as one writes it in NumPy: no temporary that can be avoided, the gradients derived by hand."""

    def __init__(self, X: Array, y: Array) -> None:
        self.X, self.y, self.draw = X, y, np.random.default_rng(3)
        self.rows = np.arange(BATCH)

    def reset(self, P: Arrays) -> None:
        self.P = [p.copy() for p in P]
        self.velocity = [np.zeros_like(p) for p in P]
        self.scratch = [np.empty_like(p) for p in P]

    def params(self) -> Arrays:
        return [p.copy() for p in self.P]

    def epoch(self, perm: Array | None = None) -> None:
        order = self.draw.permutation(len(self.X)) if perm is None else perm
        for first in range(0, len(order) - BATCH + 1, BATCH):
            batch = order[first : first + BATCH]
            self.step(self.X[batch], self.y[batch])

    def step(self, x: Array, y: Array) -> None:
        W1, b1, W2, b2, W3, b3 = self.P
        h1 = x @ W1
        h1 += b1
        np.maximum(h1, 0, out=h1)
        h2 = h1 @ W2
        h2 += b2
        np.maximum(h2, 0, out=h2)
        z = h2 @ W3
        z += b3
        z -= z.max(1, keepdims=True)
        p = np.exp(z)
        total = p.sum(1, keepdims=True)
        self.loss = float(np.mean(np.log(total[:, 0]) - z[self.rows, y]))
        p /= total
        p[self.rows, y] -= 1
        p *= np.float32(1 / BATCH)
        d2 = p @ W3.T
        d2 *= h2 > 0
        d1 = d2 @ W2.T
        d1 *= h1 > 0
        self.update((x.T @ d1, d1.sum(0), h1.T @ d2, d2.sum(0), h2.T @ p, p.sum(0)))

    def update(self, gradients: Sequence[Array]) -> None:
        for p, g, v, s in zip(self.P, gradients, self.velocity, self.scratch, strict=True):
            np.multiply(p, DECAY, out=s)
            np.multiply(v, MU, out=v)
            np.add(v, g, out=v)
            np.add(v, s, out=v)
            np.multiply(v, LR, out=s)
            np.subtract(p, s, out=p)


class Jax:
    """One compiled call an epoch: lax.scan over the batches, parameters and momentum donated."""

    def __init__(self, X: Array, y: Array) -> None:
        import jax
        import jax.numpy as jnp

        self.jax, self.draw = jax, np.random.default_rng(3)
        self.X, self.y = jnp.asarray(X), jnp.asarray(y)

        def loss(P: Any, x: Any, y: Any) -> Any:
            h = jax.nn.relu(x @ P[0] + P[1])
            h = jax.nn.relu(h @ P[2] + P[3])
            return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(h @ P[4] + P[5]), y[:, None], 1))

        def epoch(P: Any, V: Any, X: Any, y: Any, order: Any) -> Any:
            def step(carry: Any, batch: Any) -> Any:
                P, V = carry
                value, G = jax.value_and_grad(loss)(P, X[batch], y[batch])
                V = [MU * v + (g + DECAY * p) for p, v, g in zip(P, V, G, strict=True)]
                return ([p - LR * v for p, v in zip(P, V, strict=True)], V), value

            (P, V), values = jax.lax.scan(step, (P, V), order)
            return P, V, values[-1]

        self.compiled = jax.jit(epoch, donate_argnums=(0, 1))

    def reset(self, P: Arrays) -> None:
        self.P = [self.jax.numpy.array(p) for p in P]
        self.V = [self.jax.numpy.zeros_like(p) for p in self.P]

    def params(self) -> Arrays:
        return [np.array(p) for p in self.P]

    def epoch(self, perm: Array | None = None) -> None:
        order = self.draw.permutation(len(self.X)) if perm is None else perm
        batches = order[: len(order) // BATCH * BATCH].reshape(-1, BATCH)
        self.P, self.V, self.loss = self.compiled(self.P, self.V, self.X, self.y, batches)
        self.jax.block_until_ready(self.P)


def digits() -> tuple[Array, Array]:
    from sklearn.datasets import load_digits

    pixels, labels = load_digits(return_X_y=True)
    return np.ascontiguousarray(pixels / 16, np.float32), labels.astype(np.int64)


def start() -> Arrays:
    draw, P = np.random.default_rng(2), []
    dims: Any = WORKLOAD["dims"]
    for fan_in, width in itertools.pairwise(dims):
        P.append((draw.standard_normal((fan_in, width)) * np.sqrt(2 / fan_in)).astype(np.float32))
        P.append(np.zeros(width, np.float32))
    return P


def contenders(X: Array, y: Array, without_jax: bool) -> dict[str, Contender]:
    found: dict[str, Contender] = {"C": Column(WORKLOAD, X, y, "c"), "NumPy target": Column(WORKLOAD, X, y, "numpy")}
    found["NumPy by hand"] = ByHand(X, y)
    if not without_jax:
        found["JAX scan"] = Jax(X, y)
    return found


def check(columns: dict[str, Contender], P: Arrays, rows: int) -> dict[str, float]:
    """After three steps all have moved alike: the largest difference, relative to how far the tensor moved."""
    order = np.random.default_rng(4).permutation(rows)[: 3 * BATCH]
    ends = {}
    for name, column in columns.items():
        column.reset(P)
        column.epoch(order)
        ends[name] = column.params()
    errors = {}
    for name, end in ends.items():
        apart = zip(end, ends["NumPy by hand"], P, strict=True)
        errors[name] = max(float(np.abs(a - b).max() / np.abs(b - p).max()) for a, b, p in apart)
        if not errors[name] < 1e-4:
            raise SystemExit(f"{name} does something else: its parameters differ by {errors[name]:.2g} after 3 steps")
    return errors


def measure(columns: dict[str, Contender], P: Arrays, turns: int) -> dict[str, list[tuple[float, float]]]:
    """Seconds of an epoch by column, one pair a turn: on the clock, and of the CPU. The first column changes.

    The epoch before it, not measured, brings code and data back into the caches that the others have used.
    """
    seconds: dict[str, list[tuple[float, float]]] = {name: [] for name in columns}
    names = list(columns)
    for turn in range(-RESTART, turns):
        if turn % RESTART == 0:
            for column in columns.values():
                column.reset(P)
                column.epoch()
        shift = turn % len(names)
        for name in names[shift:] + names[:shift]:
            columns[name].epoch()
            begun, cpu = time.perf_counter(), time.process_time()
            columns[name].epoch()
            spent = time.perf_counter() - begun, time.process_time() - cpu
            if turn >= 0:
                seconds[name].append(spent)
    return seconds


def machine() -> dict[str, Any]:
    from symbackprop.load.compiler import find_compiler, flags

    compiler = find_compiler()
    cpu = platform.processor()
    if os.path.exists("/proc/cpuinfo"):
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        cpu = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), cpu)
    versions = {"python": platform.python_version(), "numpy": np.__version__}
    for name in ("jax", "jaxlib", "sklearn"):
        if name in sys.modules:
            versions[name] = sys.modules[name].__version__
    return {
        "cpu": cpu,
        "cores": os.cpu_count(),
        "load": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        "compiler": compiler.version.splitlines()[0] if compiler else None,
        "flags": " ".join(flags(compiler)) if compiler else None,
        "versions": versions,
    }


def quartiles(values: Sequence[float]) -> list[float]:
    return statistics.quantiles(values, n=4, method="inclusive")


def summarize(seconds: dict[str, list[tuple[float, float]]], steps: int) -> dict[str, Any]:
    """Microseconds per step, and the times of the other columns in times of C, turn by turn.

    `clock` is what a user waits for. `cpu` counts this process only, so other processes on the core matter less; it
    counts all threads, and what they burn while they wait for each other.
    """
    told: dict[str, Any] = {"columns": {}, "ratios": {}}
    for kind, place in (("clock", 0), ("cpu", 1)):
        times = {name: [1e6 * pair[place] / steps for pair in pairs] for name, pairs in seconds.items()}
        for name, values in times.items():
            row = {"quartiles": quartiles(values), "least": min(values), "turns": len(values)}
            told["columns"].setdefault(name, {})[kind] = row
        for name, values in times.items():
            if name != "C":
                paired = quartiles([v / c for v, c in zip(values, times["C"], strict=True)])
                row = {"quartiles": paired, "least": min(values) / min(times["C"])}
                told["ratios"].setdefault(name, {})[kind] = row
    return told


def report(told: dict[str, Any]) -> None:
    print(json.dumps(told["machine"], indent=1))
    print("parameters after 3 steps differ by", ", ".join(f"{n}: {e:.1e}" for n, e in told["check"].items()))
    for title, rows in (
        ("microseconds per step", told["columns"]),
        ("the same in times of C, turn by turn (least: of the least)", told["ratios"]),
    ):
        print(f"\n{title}\n{'':24}{'quartile':>10}{'median':>10}{'quartile':>10}{'least':>10}")
        for name, kinds in rows.items():
            for kind, row in kinds.items():
                print(f"{name + ', ' + kind:24}" + "".join(f"{v:10.2f}" for v in (*row["quartiles"], row["least"])))
    print("", *told["verdicts"], sep="\n")


def verdicts(told: dict[str, Any]) -> list[str]:
    """What is asked of the C target, by the number that is least in its favor: clock, CPU, or the least of either."""
    lines = []
    for name, limit in (
        ("NumPy target", AT_LEAST_NUMPY),
        ("NumPy by hand", AT_LEAST_NUMPY),
        ("JAX scan", 1 / AT_MOST_JAX),
    ):
        if name in told["ratios"]:
            worst = min(min(row["quartiles"][1], row["least"]) for row in told["ratios"][name].values())
            lines.append(f"{name} takes {worst:.2f} times as long as C (at least {limit:.2f}): {worst >= limit}")
    return lines


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=200, help="epochs of each column, at least 20 (default 200)")
    parser.add_argument("--out", type=Path, default=Path("out/bench_digits.json"))
    parser.add_argument("--core", type=int, default=0, help="stay on this core; -1: on all of them (default 0)")
    parser.add_argument("--without-jax", action="store_true")
    parser.add_argument("--check", action="store_true", help="exit with 1 when a requirement is missed")
    options = parser.parse_args()
    if options.turns < 20:
        parser.error("at least 20 turns")
    if hasattr(os, "sched_setaffinity") and options.core >= 0:
        os.sched_setaffinity(0, {options.core})
    X, y = digits()
    P, columns = start(), contenders(X, y, options.without_jax)
    errors = check(columns, P, len(X))
    seconds = measure(columns, P, options.turns)
    told = {"machine": machine(), "check": errors, **summarize(seconds, len(X) // BATCH)}
    told["verdicts"] = verdicts(told)
    report(told)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps({**told, "seconds": seconds}, indent=1) + "\n", encoding="utf-8")
    print(f"wrote {options.out}")
    return int(options.check and not all(line.endswith("True") for line in told["verdicts"]))


if __name__ == "__main__":
    sys.exit(main())
