"""The demo: scanned digits, from the declaration to test accuracy, in C and in NumPy."""

from __future__ import annotations

import math
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import symbackprop as sb

from . import pipeline
from .errors import SymbackpropError
from .pdf import GET_ENGINE, find_engine, write_pdf

if TYPE_CHECKING:
    from .records import Derivation
    from .train.history import History
    from .train.model import Model

Array = np.ndarray[Any, Any]
Split = tuple[Array, Array, Array, Array]
"""Training rows, test rows, training labels, test labels."""

SPLITS = 5
BATCH = 32


def run(out: Path, epochs: int = 40) -> float:
    """Derive, compile, train and report; writes sources, derivation and learning curve to the folder `out`.

    Returns the mean test accuracy over five seeded stratified 80/20 splits. Raises `SymbackpropError` when
    scikit-learn is missing.
    """
    splits = digits_splits()
    out.mkdir(parents=True, exist_ok=True)
    network, optimizer = digits_network(), sb.Adam(1e-3)
    derivation = network.derive(optimizer=optimizer)
    print(f"Derivation\n\n{derivation.text()}\n\nLayers\n\n{summary(network)}\n")
    _write_texts(out, network, optimizer, derivation)

    c, c_ready = _compile(network, optimizer, "c", 0)
    print(f"\nTraining, {epochs} epochs a split, {len(splits[0][0])} of {len(splits[0][0]) + len(splits[0][1])} rows")
    history = _fit(c, splits[0], epochs, verbose=True)
    _plot(history, out / "learning_curve.png")
    rows = [_row(c, c_ready, history, splits[0])]
    if c.target == "c":
        twin, twin_ready = _compile(network, optimizer, "numpy", 0)
        rows.append(_row(twin, twin_ready, _fit(twin, splits[0], epochs), splits[0]))
    print(f"\nThe first split\n\n{_table(('target', 'ready in', 'examples/s', 'loss', 'test accuracy'), rows)}\n")

    accuracies = [_accuracy(c, splits[0])]
    for seed, split in enumerate(splits[1:], 1):
        model, _ = _compile(network, optimizer, c.target, seed)
        _fit(model, split, epochs)
        accuracies.append(_accuracy(model, split))
    mean = sum(accuracies) / len(accuracies)
    print("test accuracy by split: " + ", ".join(f"{100 * a:.1f}" for a in accuracies) + " %")
    print(f"mean test accuracy: {100 * mean:.1f} %")
    return mean


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
    from .declare.network import tensors_of

    rows, seen = [], set()
    for equation in network.system.forward:
        new = [t for t in tensors_of(equation.rhs) if t.kind == "parameter" and t not in seen]
        seen.update(new)
        count = sum(math.prod(t.sizes) for t in new)
        names = ", ".join(f"{t.name} {t.shape_text}" for t in new)
        rows.append((equation.lhs.name, equation.lhs.shape_text, names or "-", f"{count:,}"))
    total = sum(math.prod(t.sizes) for t in seen)
    return _table(("tensor", "shape", "parameters", "numbers"), [*rows, ("all", "", "", f"{total:,}")])


def _write_texts(out: Path, network: sb.Network, optimizer: sb.Optimizer, derivation: Derivation) -> None:
    """The derivation and the two sources."""
    texts = {
        "derivation.tex": derivation.latex(standalone=True),
        "digits_mlp.c": pipeline.emit(network, target="c", optimizer=optimizer).text,
        "digits_mlp.py": pipeline.emit(network, target="numpy", optimizer=optimizer).text,
    }
    for name, text in texts.items():
        (out / name).write_text(text, encoding="utf-8", newline="\n")
        print(f"wrote {out / name}")
    if find_engine() is None:
        print(f"no LaTeX engine here, so no PDF; {GET_ENGINE}")
    else:
        print(f"wrote {write_pdf(derivation.latex(standalone=True), out / 'derivation.pdf')}")


def _compile(network: sb.Network, optimizer: sb.Optimizer, target: str, seed: int) -> tuple[Model, float]:
    begun = time.perf_counter()
    model = pipeline.compile(network, target=target, optimizer=optimizer, seed=seed)
    return model, time.perf_counter() - begun


def _fit(model: Model, split: Split, epochs: int, verbose: bool = False) -> History:
    train, test, train_labels, test_labels = split
    validation = (test, test_labels) if verbose else None
    return model.fit(train, train_labels, epochs=epochs, batch_size=BATCH, validation_data=validation, verbose=verbose)


def _accuracy(model: Model, split: Split) -> float:
    return model.evaluate(split[1], split[3])["accuracy"]


def _row(model: Model, ready: float, history: History, split: Split) -> tuple[str, ...]:
    rate = len(split[0]) * len(history) / sum(history.seconds)
    name = {"c": "C", "numpy": "NumPy"}[model.target]
    return name, f"{ready:.2f} s", f"{rate:,.0f}", f"{history.loss[-1]:.5f}", f"{100 * _accuracy(model, split):.1f} %"


def _plot(history: History, path: Path) -> None:
    try:
        print(f"wrote {history.plot(path)}")
    except SymbackpropError as error:
        print(f"no learning curve: {error}")


def _table(heads: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """Columns as wide as their widest entry, under their heads."""
    widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
    lines = ["  ".join(f"{cell:<{w}}" for cell, w in zip(row, widths, strict=True)) for row in (heads, *rows)]
    return "\n".join(f"  {line.rstrip()}" for line in lines)
