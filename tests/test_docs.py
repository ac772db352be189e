"""docs/blocks.md has every block with its options and defaults, and the README names all of them."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import symbackprop as sb
from symbackprop.declare import initializers, layers, losses, optimizers, regularizers, schedules
from symbackprop.declare.optimizer import Choice, Hyper
from tests.meta.repo import ROOT

BLOCKS = (ROOT / "docs" / "blocks.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")
WEIGHTED = (
    *("activation", "bias", "init", "bias_init", "trainable"),
    *("weight_regularizer", "bias_regularizer", "activity_regularizer"),
)
"""Options of many layers, which the page names once."""


def written(name: str, function: Callable[..., Any], skip: tuple[str, ...] = ()) -> str:
    """`huber(delta=1.0)`: a call with the defaults of its options, without some of them."""
    kept = [p.replace(annotation=p.empty) for p in inspect.signature(function).parameters.values()]
    return name + str(inspect.Signature([p for p in kept if p.name not in skip]))


def optimizer(kind: type[sb.Optimizer]) -> str:
    """`Momentum(eta=0.01, mu=0.9, form='torch')`."""
    numbers = [f"{h.name}={h.default!r}" for h in kind._declared(Hyper).values()]
    choices = [f"{name}={choice.options[0]!r}" for name, choice in kind._declared(Choice).items()]
    return f"{kind.__name__}({', '.join([*numbers, *choices])})"


def activation(name: str) -> str:
    """The name, with the options that can be chosen."""
    function = getattr(sb.activations, name, None)
    options = [] if function is None else list(inspect.signature(function).parameters.values())[1:]
    if name in sb.activations.ROW_ACTIVATIONS or not options:
        return name
    return f"{name}({', '.join(f'{p.name}={p.default!r}' for p in options)})"


def functions(module: Any) -> Iterator[tuple[str, Callable[..., Any]]]:
    for name, value in vars(module).items():
        if inspect.isfunction(value) and value.__module__ == module.__name__ and not name.startswith("_"):
            yield name, value


ENTRIES: dict[str, list[str]] = {
    "layer": [written(n, kind, WEIGHTED) for n, kind in (layers.LAYERS | layers.WIRING).items()],
    "activation": [activation(n) for n in (*sb.activations.ACTIVATIONS, *sb.activations.ROW_ACTIVATIONS)],
    "loss": [written(n, losses.FACTORIES[n], ("reduction",)) if n in losses.FACTORIES else n for n in losses.LOSSES],
    "regularizer": [written(kind.__name__, kind) for kind in regularizers.REGULARIZERS.values()],
    "initializer": [written(n, f) for n, f in functions(initializers)],
    "optimizer": [optimizer(kind) for kind in optimizers.OPTIMIZERS.values()],
    "schedule": [written(n, f) for n, f in functions(schedules)],
}


@pytest.mark.parametrize("kind", ENTRIES)
def test_every_block_is_described_with_its_options(kind: str) -> None:
    assert ENTRIES[kind]
    missing = [entry for entry in ENTRIES[kind] if f"`{entry}`" not in BLOCKS]
    assert not missing, f"docs/blocks.md lacks, or has with other options: {missing}"


@pytest.mark.parametrize("kind", ENTRIES)
def test_the_readme_names_every_block(kind: str) -> None:
    table = README.partition("## What blocks there are")[2].partition("\n## ")[0]
    missing = [name for entry in ENTRIES[kind] if f"`{(name := entry.partition('(')[0])}`" not in table]
    assert not missing, f"README.md does not name: {missing}"


def test_default_reductions_are_as_described() -> None:
    rows = dict(re.findall(r"^\| `(\w+)[^|]*\| (mean|batch_mean|sum) \|", BLOCKS, flags=re.MULTILINE))
    assert rows == {n: loss.reduction for n, loss in losses.LOSSES.items() if n != "multilabel"}


def test_all_options_of_layers_with_weights_are_named() -> None:
    paragraph = BLOCKS.partition("Layers with a weight share these options")[2].partition("\n- ")[0]
    for kind in (layers.Dense, layers.Conv1d, layers.Bilinear, layers.Maxout):
        own = inspect.signature(kind).parameters
        assert set(WEIGHTED) <= set(own)
    defaults = {p.name: p.default for p in inspect.signature(layers.Dense).parameters.values()}
    assert not [o for o in WEIGHTED if f"`{o}={defaults[o]!r}`" not in paragraph]


def test_nothing_is_described_that_does_not_exist() -> None:
    """Every entry that the lists and tables begin with is a block."""
    known = {entry for entries in ENTRIES.values() for entry in entries} | {
        written("Input", sb.Input),
        written("Function", layers.Function),
    }
    begun = re.findall(r"^(?:- |\| )`([^`]+)`", BLOCKS, flags=re.MULTILINE)
    assert len(begun) > 90
    assert not [entry for entry in begun if entry not in known]
