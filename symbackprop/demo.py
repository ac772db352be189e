"""The demo: scanned digits, from the declaration to test accuracy, in C and in NumPy."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import symbackprop as sb

from .errors import SymbackpropError
from .files import make_folder, write_text
from .pdf import GET_ENGINE, find_engine

if TYPE_CHECKING:
    from .records import Derivation
    from .train.history import History

Array = np.ndarray[Any, Any]
Split = tuple[Array, Array, Array, Array]
"""Training rows, test rows, training labels, test labels."""

SPLITS = 5
BATCH = 32
HEADS = ("target", "compiled in", "examples/s", "loss", "test accuracy")


@dataclass(frozen=True, slots=True)
class Outcome:
    """One model trained on one split: seconds to compile, what training reported, share of right test answers."""

    target: str
    compile_seconds: float
    history: History
    accuracy: float

    @property
    def row(self) -> tuple[str, ...]:
        """The outcome as cells of the table of targets; the speed is that of the median epoch."""
        return (
            {"c": "C", "numpy": "NumPy"}[self.target],
            f"{self.compile_seconds:.2f} s",
            f"{statistics.median(self.history.examples_per_second):,.0f}",
            f"{self.history.loss[-1]:.5f}",
            f"{100 * self.accuracy:.1f} %",
        )


def run(out: Path, epochs: int = 40) -> float:
    """Derive, compile, train and report; writes sources, derivation and learning curve to the folder `out`.

    Returns the mean test accuracy over five seeded stratified 80/20 splits. Raises `SymbackpropError` when
    scikit-learn is missing and `EmissionError` when `out` cannot be written.
    """
    splits = digits_splits()
    make_folder(out)
    network, optimizer = digits_network(), sb.Adam(1e-3)
    derivation = network.derive(optimizer=optimizer)
    print(f"Derivation\n\n{derivation.text()}\n\nLayers\n\n{summary(network)}\n")
    _write_texts(out, network, optimizer, derivation)

    rows, tests = len(splits[0][0]), len(splits[0][1])
    print(f"\nTraining: {epochs} epochs of {rows} digits, {tests} more to test on, {SPLITS} such splits")
    first = _train(network, optimizer, "c", 0, splits[0], epochs, verbose=True)
    _plot(first.history, out / "learning_curve.png")
    outcomes = [first]
    if first.target == "c":
        outcomes.append(_train(network, optimizer, "numpy", 0, splits[0], epochs))
    print(f"\nThe first split\n\n{_table(HEADS, [outcome.row for outcome in outcomes])}\n")

    others = (_train(network, optimizer, first.target, seed, split, epochs) for seed, split in enumerate(splits[1:], 1))
    accuracies = [100 * outcome.accuracy for outcome in (first, *others)]
    mean = sum(accuracies) / SPLITS
    print(f"test accuracy by split: {', '.join(f'{a:.1f}' for a in accuracies)} %")
    print(f"mean test accuracy: {mean:.1f} %")
    return mean / 100


def digits_network() -> sb.Network:
    """The network 64-64-32-10 with ReLU; its outputs are logits."""
    he, zero = sb.init.he_normal(), sb.init.constant(0)
    return sb.Network(
        [
            sb.Input(64),
            sb.Dense(64, "relu", init=he, bias_init=zero),
            sb.Dense(32, "relu", init=he, bias_init=zero),
            sb.Dense(10, init=he, bias_init=zero),
        ],
        loss="softmax_cross_entropy",
        weight_decay=1e-4,
    )


def digits_splits() -> list[Split]:
    """Five seeded stratified 80/20 splits of scikit-learn's 1,797 digits, pixels scaled to [0, 1]."""
    try:
        from sklearn.datasets import load_digits
        from sklearn.model_selection import train_test_split
    except ImportError as error:
        raise SymbackpropError(
            'the demo takes its digits from scikit-learn, which is not installed: pip install "symbackprop[sklearn]"'
        ) from error
    pixels, labels = load_digits(return_X_y=True)
    return [
        tuple(train_test_split(pixels / 16, labels, test_size=0.2, random_state=seed, stratify=labels))
        for seed in range(SPLITS)
    ]


def summary(network: sb.Network) -> str:
    """A table of the forward equations' tensors: shape, parameters and how many numbers these are."""
    from .declare.tensors import tensors_of

    rows, seen = [], set()
    for equation in network.system.forward:
        new = [t for t in tensors_of(equation.rhs) if t.kind == "parameter" and t not in seen]
        seen.update(new)
        count = sum(t.entries for t in new)
        names = ", ".join(f"{t.name} {t.shape_text}" for t in new)
        rows.append((equation.lhs.name, equation.lhs.shape_text, names or "-", f"{count:,}"))
    total = sum(t.entries for t in seen)
    return _table(("tensor", "shape", "parameters", "numbers"), [*rows, ("all", "", "", f"{total:,}")])


def _write_texts(out: Path, network: sb.Network, optimizer: sb.Optimizer, derivation: Derivation) -> None:
    """The derivation as a document, and the two sources."""
    texts = {
        "digits_mlp.c": network.emit(target="c", optimizer=optimizer).text,
        "digits_mlp.py": network.emit(target="numpy", optimizer=optimizer).text,
    }
    for name, text in texts.items():
        print(f"wrote {write_text(out / name, text)}")
    endings = ["tex", "html", *(["pdf"] if find_engine() is not None else [])]
    for ending in endings:
        derivation.document(out / f"derivation.{ending}")
        print(f"wrote {out / f'derivation.{ending}'}")
    if "pdf" not in endings:
        print(f"no LaTeX engine here, so no PDF; {GET_ENGINE}")


def _train(
    network: sb.Network,
    optimizer: sb.Optimizer,
    target: str,
    seed: int,
    split: Split,
    epochs: int,
    verbose: bool = False,
) -> Outcome:
    """Compile and train on a split; Ctrl-C is raised on, unlike in `fit`."""
    begun = time.perf_counter()
    model = sb.compile(network, target=target, optimizer=optimizer, seed=seed)
    seconds = time.perf_counter() - begun
    x, x_test, y, y_test = split
    validation = (x_test, y_test) if verbose else None
    history = model.fit(x, y, epochs, BATCH, validation_data=validation, verbose=verbose, metrics=verbose)
    if history.interrupted:
        raise KeyboardInterrupt
    return Outcome(model.target, seconds, history, model.evaluate(x_test, y_test)["accuracy"])


def _plot(history: History, path: Path) -> None:
    try:
        print(f"wrote {history.plot(path)}")
    except SymbackpropError as error:  # matplotlib is an extra
        print(f"no learning curve: {error}")


def _table(heads: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """Columns as wide as their widest entry, under their heads."""
    widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
    lines = ["  ".join(f"{cell:<{w}}" for cell, w in zip(row, widths, strict=True)) for row in (heads, *rows)]
    return "\n".join(f"  {line.rstrip()}" for line in lines)
