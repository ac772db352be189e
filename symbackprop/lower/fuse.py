"""Fuse elementwise statements into the loop nest that makes what they read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from sympy import Expr

from ..language.indices import substitute
from ..language.memo import Memo
from ..language.nodes import Index
from ..language.structure import tensors_of
from ..language.tensor import Tensor
from .products import as_product
from .program import MAP, Form, Kernel, Product, Statement
from .reads import reads
from .schedule import form_of


@dataclass
class _Group:
    """Statements that will be one kernel."""

    space: tuple[Index, ...]
    statements: list[Statement] = field(default_factory=list)


def fuse(
    statements: tuple[Statement, ...], kept: frozenset[Tensor], levels: Mapping[Tensor, int], memo: Memo
) -> tuple[Kernel, ...]:
    """Kernels in order of computation; `kept` are the tensors that callers read.

    Only statements of one of the `levels` meet in a kernel.
    """
    groups: list[_Group] = []
    maker: dict[Tensor, int] = {}
    for s in statements:
        home = _home(s, groups, maker)
        if home is None or levels[groups[home[0]].statements[0].lhs] != levels[s.lhs]:
            maker[s.lhs] = len(groups)
            groups.append(_Group(s.indices, [s]))
        else:
            place, renaming = home
            maker[s.lhs] = place
            groups[place].statements.append(_renamed(s, renaming, memo))
    readers: dict[Tensor, set[int]] = {}
    for place, group in enumerate(groups):
        for s in group.statements:
            for t in tensors_of(s.content):
                readers.setdefault(t, set()).add(place)
    read = kept | {t for t, home in maker.items() if readers.get(t, set()) - {home}}
    return _distinct(tuple(_kernel(g, read, memo) for g in groups))


def _distinct(kernels: tuple[Kernel, ...]) -> tuple[Kernel, ...]:
    """Kernels with different names: those of tensors z, b and of a tensor z_b would be one."""
    taken: set[str] = set()
    made = []
    for kernel in kernels:
        name, number = kernel.name, 2
        while name in taken:
            name, number = f"{kernel.name}_{number}", number + 1
        taken.add(name)
        made.append(kernel if name == kernel.name else replace(kernel, name=name))
    return tuple(made)


def _home(s: Statement, groups: list[_Group], maker: dict[Tensor, int]) -> tuple[int, dict[Expr, Expr]] | None:
    """The group that a map can join: the last one that makes something it reads, if read entry by entry."""
    made_here = [t for t in tensors_of(s.content) if t in maker]
    if s.op != MAP or not made_here:
        return None
    place = max(maker[t] for t in made_here)
    group = groups[place]
    if len(group.space) != len(s.indices):
        return None
    renaming: dict[Expr, Expr] | None = None
    for tensor, indices, plain in reads(s.content):
        if maker.get(tensor) != place:
            continue
        made = next(m for m in group.statements if m.lhs is tensor)
        if not plain or set(indices) != set(s.indices):
            return None
        here: dict[Expr, Expr] = dict(zip(indices, made.indices, strict=True))
        if renaming is not None and renaming != here:
            return None
        renaming = here
    return None if renaming is None else (place, renaming)


def _renamed(s: Statement, renaming: dict[Expr, Expr], memo: Memo) -> Statement:
    indices = tuple(renaming[i] for i in s.indices)
    if all(a is b for a, b in zip(indices, s.indices, strict=True)):
        return s
    inputs = (s.content, *s.indices, *indices)
    (body,) = memo(("renamed", len(indices)), inputs, lambda: (substitute(s.body, renaming),))
    return Statement(s.lhs, indices, s.op, s.over, body, s.source)


def _kernel(group: _Group, read: frozenset[Tensor], memo: Memo) -> Kernel:
    """A group as a kernel with its loops chosen; `read` are the tensors that somebody outside their kernel reads."""
    first = group.statements[0]
    reduction = first if first.op != MAP else None
    maps = tuple(group.statements[1:] if reduction else group.statements)
    stored = frozenset(s.lhs for s in group.statements if s.lhs in read)
    name = "_".join(s.lhs.name for s in group.statements if s.lhs in stored) or first.lhs.name

    def make() -> tuple[Product | None, Form]:
        product = as_product(reduction) if reduction is not None else None
        plain = Kernel(name, group.space, reduction, () if reduction else maps, stored, product)
        return product, form_of(plain)

    asks = (first,) if reduction else maps  # beside a reduction, maps have no say in how it loops
    what = ("kernel", *((s.op, len(s.indices), len(s.over)) for s in asks))
    inputs = [x for s in asks for x in (s.content, *s.indices, *s.over)]
    product, form = memo(what, inputs, make)
    return Kernel(name, group.space, reduction, maps, stored, product, form)
