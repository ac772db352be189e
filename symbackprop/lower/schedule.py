"""How a kernel loops: data chosen in one place, printed by a template variant each.

| form | loops |
|---|---|
| map | the space, nothing summed |
| inner | the space, then the reduction inside it, into a register |
| outer | the reduction outside, the space inside it, into memory: where memory runs along the space |
| rows | as outer, but one row of the space at a time |
| scatter | the reduction outside, adding at places read from data |
| product | tiles of a matrix product |
| gathered | tiles of a matrix product, whose factors are evaluated while they are copied side by side |

The innermost loop is the one that is vectorized. Rows of a few entries (ten classes) do not fill a vector, so there the
samples go innermost, with strided access.
"""

from __future__ import annotations

import math

from sympy import Expr

from ..language.indices import entries_of
from ..language.nodes import Entry, Index
from .positions import is_plain, position
from .products import as_gathered
from .program import ARGMAX, Form, Gathered, Kernel, Product, Statement
from .scatter import as_scatter

LANES = 16  # float32 entries of the widest vectors
NARROW = 4  # a product with fewer columns (gathered: rows) than this leaves most of a tile idle; plain loops do it


def form_of(kernel: Kernel) -> Form:
    """The loops of a kernel; they depend on its structure only, and not on what is stored."""
    if kernel.reduction is None:
        flat = _is_flat(kernel)
        return Form("map", kernel.space if flat else _long_last(kernel.space), flat=flat)
    if kernel.product is not None and _columns(kernel.product) >= NARROW:
        return Form("product", kernel.space, kernel.reduction.over)
    over, space = kernel.reduction.over, kernel.space
    scatter = as_scatter(kernel.reduction)
    if scatter is not None:
        places = {index for index, _ in scatter.places}
        return Form("scatter", space, over, row=tuple(i for i in space if i not in places), scatter=scatter)
    gathered = as_gathered(kernel.reduction) if kernel.product is None else None
    if gathered is not None and _is_worth_copying(gathered):
        return Form("gathered", space, over, gathered=gathered)
    if kernel.reduction.op != ARGMAX and space and (_runs_along_space(kernel) or _is_short(kernel)):
        by_rows = len(space) > 1 and not _reads_plainly(kernel.reduction)
        return Form("rows", space, over, row=space[-1:]) if by_rows else Form("outer", space, over, row=space)
    keep = bool(space) or kernel.reduction.op == ARGMAX
    return Form("inner", space, over if keep else _long_last(over))


def _extent(index: Index) -> float:
    assert index.dim is not None
    return math.inf if index.dim.size is None else index.dim.size


def _long_last(loops: tuple[Index, ...]) -> tuple[Index, ...]:
    """The loops with the first one innermost, where it is the batch and a sample does not fill a vector."""
    if len(loops) > 1 and _extent(loops[0]) == math.inf and math.prod(map(_extent, loops[1:])) < LANES:
        return (*loops[1:], loops[0])
    return loops


def _is_short(kernel: Kernel) -> bool:
    """A reduction of each sample over a few entries."""
    assert kernel.reduction is not None
    (first, *rest), over = kernel.space, kernel.reduction.over
    return not rest and _extent(first) == math.inf and math.prod(map(_extent, over)) < LANES


def _columns(product: Product) -> int:
    """Columns of a product; one with run-time columns counts as wide."""
    sizes = [i.dim.size if i.dim is not None else None for i in product.columns]
    return math.prod(s for s in sizes if s is not None) if None not in sizes else 4 * NARROW


def _is_worth_copying(g: Gathered) -> bool:
    """Whether enough is computed with each number that is copied."""
    rows, columns, inner = (math.prod(map(_extent, group)) for group in (g.rows, g.columns, g.inner))
    return rows >= NARROW and columns >= NARROW and inner >= NARROW


def _is_flat(kernel: Kernel) -> bool:
    """Every entry stands at the kernel's own indices, in memory's order, so one loop does."""
    if not kernel.space:
        return False
    for s in kernel.statements:
        if s.indices != kernel.space:
            return False
        entries = entries_of(s.body)
        if any(e.indices and (e.indices != kernel.space or not is_plain(e)) for e in entries):
            return False
        if has_bare_index(s.body):
            return False
    return True


def has_bare_index(body: Expr) -> bool:
    """Whether an index stands for its number: a flat loop has only the number of the entry."""
    if isinstance(body, Index):
        return True
    if isinstance(body, Entry):
        return not is_plain(body) and bool(body.atoms(Index))
    return any(map(has_bare_index, body.args))


def _reads_plainly(s: Statement) -> bool:
    return all(is_plain(e) for e in entries_of(s.body))


def _runs_along_space(kernel: Kernel) -> bool:
    """Whether the entries that the reduction reads are contiguous along the space rather than along the sum."""
    assert kernel.reduction is not None
    along = [_contiguous(e) for e in entries_of(kernel.reduction.body) if e.indices]
    last, over = kernel.space[-1], set(kernel.reduction.over)
    return any(last in found for found in along) and not any(found & over and last not in found for found in along)


def _contiguous(e: Entry) -> set[Expr]:
    """The indices along which neighbors of an entry are neighbors in memory."""
    last = position(e.indices[-1])
    return {atom for atom, factor in last.terms if abs(factor) == last.divisor}
