"""The table: every building block in every target, against JAX's gradients of a formula transcribed by hand.

It is written to docs/table.md with `--update`; without it the file must hold the rows that there are.
"""

from __future__ import annotations

import importlib
import math
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("jax", reason="the reference gradients are JAX's; it is an extra, `dev`")

import symbackprop as sb
from symbackprop.declare import layers, losses, optimizers, regularizers
from symbackprop.derive import differentiate
from symbackprop.load.compiler import find_compiler
from symbackprop.train.initialize import KINDS
from tests.meta.repo import ROOT
from tests.table.harness import WRONG, Row

FOLDER = Path(__file__).parent
DOCUMENT = ROOT / "docs" / "table.md"
MODULES = sorted(path.stem for path in FOLDER.glob("rows_*.py"))
ROWS: list[Row] = [row for name in MODULES for row in importlib.import_module(f"tests.table.{name}").ROWS]
REGISTRIES: dict[str, set[str]] = {
    "activation": set(sb.activations.ACTIVATIONS) | set(sb.activations.ROW_ACTIVATIONS),
    "loss": set(losses.LOSSES),
    "regularizer": set(regularizers.REGULARIZERS),
    "optimizer": set(optimizers.OPTIMIZERS),
    "layer": set(layers.LAYERS),
    "wiring": set(layers.WIRING),
    "initializer": set(KINDS) - {"values"} | {"zeros", "ones"},
}
TARGETS = ["numpy", "c"] if find_compiler() is not None else ["numpy"]


def title(row: Row) -> str:
    """`loss huber(delta=0.3)`."""
    return f"{row.kind} {row.block}{f'({row.variant})' if row.variant else ''}"


def check(row: Row, target: str) -> float:
    """The row's largest error; every slightly wrong gradient would have been seen."""
    found = row.measure(target)
    told = ", ".join(f"{name} {error:.2g}" for name, error in found.errors.items())
    assert all(error <= row.tolerance for error in found.errors.values()), f"{title(row)} in {target}: {told}"
    unseen = {name: error for name, error in found.tampered.items() if error <= row.tolerance}
    assert not unseen, f"{title(row)} in {target}: a value {WRONG} times as large is not seen: {unseen}"
    return max(found.errors.values())


@pytest.mark.parametrize("row", ROWS, ids=title)
def test_a_row_in_numpy(row: Row) -> None:
    check(row, "numpy")


@pytest.mark.slow
@pytest.mark.skipif(
    "c" not in TARGETS, reason="no C compiler on this machine; `symbackprop doctor` says how to get one"
)
@pytest.mark.parametrize("row", ROWS, ids=title)
def test_a_row_in_c(row: Row) -> None:
    check(row, "c")


@pytest.mark.parametrize("kind", REGISTRIES)
def test_no_row_is_missing(kind: str) -> None:
    """A new block needs a row, and a row stands for a block that there is."""
    have = {row.block for row in ROWS if row.kind == kind}
    assert have == REGISTRIES[kind], f"without a row: {REGISTRIES[kind] - have}; unknown: {have - REGISTRIES[kind]}"


def test_rows_have_different_titles() -> None:
    titles = [title(row) for row in ROWS]
    assert len(set(titles)) == len(titles)
    assert {row.kind for row in ROWS} <= set(REGISTRIES)


def test_a_wrong_rule_fails_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    """An error of 0.05 % where derivatives are taken is seen by every kind of row that takes any."""
    right = differentiate.scalar_diff
    monkeypatch.setattr(differentiate, "scalar_diff", lambda *args: WRONG * right(*args))
    for kind in ("activation", "loss", "regularizer"):
        row = next(r for r in ROWS if r.kind == kind)
        assert max(row.measure("numpy").errors.values()) > 1e-5, title(row)


HEAD = """# The table

Written by `pytest tests/table --update`. Each line is a building block in a network of its own; in each target the
objective and all gradients (an optimizer: the step; an initializer: mean and spread, in units of what chance allows)
are compared with JAX's in float64, whose forward formula was transcribed by hand. Numbers are the largest relative
error, rounded up to a power of ten.

| kind | block | numbers chosen | NumPy | C | remark |
|---|---|---|---|---|---|
"""


def lines(rows: list[Row], measured: dict[tuple[int, str], float]) -> list[str]:
    """The table's lines, in the rows' order."""
    made = []
    for place, row in enumerate(rows):
        told = [_power(measured.get((place, target))) for target in ("numpy", "c")]
        made.append(f"| {row.kind} | {row.block} | {row.variant} | {' | '.join(told)} | {row.note} |\n")
    return made


def _power(error: float | None) -> str:
    if error is None:
        return "not run"
    return "0" if error == 0 else f"1e{math.ceil(math.log10(error))}"


def named(line: str) -> list[str]:
    """What a line says of its row, without what was measured."""
    cells = [cell.strip() for cell in line.split("|")]
    return [*cells[1:4], cells[6]]


def test_the_document(update: bool) -> None:
    """It has one line for each row, in their order; the numbers may differ from machine to machine."""
    if update:
        measured = {(p, t): check(row, t) for p, row in enumerate(ROWS) for t in TARGETS}
        DOCUMENT.write_text(HEAD + "".join(lines(ROWS, measured)), encoding="utf-8")
    text = DOCUMENT.read_text(encoding="utf-8") if DOCUMENT.exists() else ""
    cure = "pytest tests/table/test_table.py --update writes it anew"
    assert text.startswith(HEAD), f"{DOCUMENT.name} has another head; {cure}"
    got: list[Any] = [named(line) for line in text[len(HEAD) :].splitlines()]
    assert got == [named(line) for line in lines(ROWS, {})], f"{DOCUMENT.name} has other rows; {cure}"
    assert "not run" not in text, f"{DOCUMENT.name} was written without a target; {cure}"
