"""Matrix products as the C templates read them: sizes, strides, and single indices from flat ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..language.nodes import Index
from ..language.tensor import Tensor
from ..lower.program import Gathered, Product
from .names import volume
from .nests import Local, Loop, extent_of


@dataclass(frozen=True, slots=True)
class Matrices:
    """The strided operands of a product: sizes and strides in C.

    `row_split` and `column_split` give the single indices of a group from the flat `row` or `column`.
    """

    rows: str
    columns: str
    inner: str
    vectors: str
    row_split: tuple[Local, ...]
    column_split: tuple[Local, ...]
    left: str
    left_row: str
    left_inner: str
    right: str
    right_inner: str
    right_column: str
    factor: str


@dataclass(frozen=True, slots=True)
class Side:
    """What a reduction evaluates: its text, and the values that the text needs, computed before it."""

    text: str
    inside: tuple[Local, ...]


@dataclass(frozen=True, slots=True)
class Copied:
    """A product of two expressions, evaluated while they are copied; `around` loops stand outside of it.

    A side's values are computed for every number that is copied, before it.
    """

    around: tuple[Loop, ...]
    rows: str
    columns: str
    inner: str
    vectors: str
    row_split: tuple[Local, ...]
    column_split: tuple[Local, ...]
    inner_split: tuple[Local, ...]
    left: Side
    right: Side


def matrices_of(p: Product, names: Mapping[Tensor, str], letters: Mapping[Index, str], factor: str) -> Matrices:
    """The view of a product; `factor` stands before it, as `2.0f*`."""
    strides = {**_strides(p.left, p.left_indices, "l"), **_strides(p.right, p.right_indices, "r")}
    return Matrices(
        rows=_size(p.rows),
        columns=_size(p.columns),
        inner=_size(p.inner),
        vectors=_vectors(p.columns),
        row_split=split(p.rows, "row", letters),
        column_split=split(p.columns, "column", letters),
        left=names[p.left],
        left_row=strides["l", p.rows[-1]],
        left_inner=strides["l", p.inner[-1]],
        right=names[p.right],
        right_inner=strides["r", p.inner[-1]],
        right_column=strides["r", p.columns[-1]],
        factor=factor,
    )


def copied_of(g: Gathered, letters: Mapping[Index, str], sides: tuple[Side, ...], around: tuple[Loop, ...]) -> Copied:
    """The view of a product of expressions, its left and its right side; `around` are the loops outside of it."""
    left, right = sides
    return Copied(
        around=around,
        rows=_size(g.rows),
        columns=_size(g.columns),
        inner=_size(g.inner),
        vectors=_vectors(g.columns),
        row_split=split(g.rows, "row", letters),
        column_split=split(g.columns, "column", letters),
        inner_split=split(g.inner, "inner", letters),
        left=left,
        right=right,
    )


def _size(group: Sequence[Index]) -> str:
    return volume(i.dim for i in group)


def _vectors(columns: Sequence[Index]) -> str:
    fixed = all(i.dim is not None and i.dim.size is not None for i in columns)
    return f"SBP_VECTORS({_size(columns)})" if fixed else "2"


def split(group: Sequence[Index], flat: str, letters: Mapping[Index, str]) -> tuple[Local, ...]:
    """Each index of a group from the flat one, by division."""
    made = []
    for place, index in enumerate(group):
        rest = volume(i.dim for i in group[place + 1 :]) if group[place + 1 :] else ""
        text = f"{flat}/({rest})" if rest else flat
        made.append(Local(letters[index], text if place == 0 else f"{text}%{extent_of(index)}"))
    return tuple(made)


def _strides(tensor: Tensor, indices: Sequence[Index], side: str) -> dict[tuple[str, Index], str]:
    """The stride of each index of an operand, as C."""
    made: dict[tuple[str, Index], str] = {}
    step, batch = 1, ""
    for dim, index in reversed(list(zip(tensor.dims, indices, strict=True))):
        made[side, index] = f"{step}{batch}"
        if dim.size is None:
            batch += f"*{dim.name}"
        else:
            step *= dim.size
    return made
