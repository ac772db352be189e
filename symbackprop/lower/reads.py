"""What a body reads, looked up by its structure."""

from __future__ import annotations

from collections.abc import Iterator

from sympy import Expr

from ..language.indices import entries_of
from ..language.nodes import Index
from ..language.structure import Form, asked, instance_of
from ..language.tensor import Tensor
from .positions import is_plain


def reads(body: Form) -> Iterator[tuple[Tensor, tuple[Index, ...], bool]]:
    """The entries in a body: the tensor, the indices, and whether each of these runs over all of its axis, just so.

    Where some are no plain indices, none are given.
    """
    _, tensors, indices, _ = instance_of(body)
    for tensor, places, plain in asked(_places, body):
        yield tensors[tensor], tuple([indices[k] for k in places]), plain


def _places(body: Expr) -> tuple[tuple[int, tuple[int, ...], bool], ...]:
    """`reads` with the numbers of tensors and indices, which are the same for all bodies of one structure."""
    _, tensors, indices, _ = instance_of(body)
    return tuple(
        (
            tensors.index(e.tensor),
            tuple(map(indices.index, e.indices)) if all(isinstance(i, Index) for i in e.indices) else (),
            is_plain(e),
        )
        for e in entries_of(body)
    )
