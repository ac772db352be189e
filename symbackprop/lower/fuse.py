"""Fuse elementwise statements into the loop nest that makes what they read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from sympy import Expr

from ..language.indices import entries_of, substitute
from ..language.nodes import Index
from ..language.tensor import Tensor
from .positions import is_plain
from .products import as_product
from .program import MAP, Kernel, Statement


@dataclass
class _Group:
    """Statements that will be one kernel."""

    space: tuple[Index, ...]
    statements: list[Statement] = field(default_factory=list)


def fuse(
    statements: tuple[Statement, ...], kept: frozenset[Tensor], levels: Mapping[Tensor, int]
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
            groups[place].statements.append(_renamed(s, renaming))
    readers: dict[Tensor, set[int]] = {}
    for place, group in enumerate(groups):
        for s in group.statements:
            for e in entries_of(s.body):
                readers.setdefault(e.tensor, set()).add(place)
    read_elsewhere = {t for t, home in maker.items() if readers.get(t, set()) - {home}}
    return _distinct(tuple(_kernel(g, kept | read_elsewhere) for g in groups))


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
    read = [e for e in entries_of(s.body) if e.tensor in maker]
    if s.op != MAP or not read:
        return None
    place = max(maker[e.tensor] for e in read)
    group = groups[place]
    if len(group.space) != len(s.indices):
        return None
    renaming: dict[Expr, Expr] | None = None
    for e in read:
        if maker[e.tensor] != place:
            continue
        made = next(m for m in group.statements if m.lhs is e.tensor)
        if set(e.indices) != set(s.indices) or not is_plain(e):
            return None
        here: dict[Expr, Expr] = dict(zip(e.indices, made.indices, strict=True))
        if renaming is not None and renaming != here:
            return None
        renaming = here
    return None if renaming is None else (place, renaming)


def _renamed(s: Statement, renaming: dict[Expr, Expr]) -> Statement:
    indices = tuple(renaming[i] for i in s.indices)
    return replace(s, indices=indices, body=substitute(s.body, renaming))


def _kernel(group: _Group, read: frozenset[Tensor]) -> Kernel:
    """A group as a kernel; `read` are the tensors that somebody outside their kernel reads."""
    first = group.statements[0]
    reduction = first if first.op != MAP else None
    maps = tuple(group.statements[1:] if reduction else group.statements)
    stored = frozenset(s.lhs for s in group.statements if s.lhs in read)
    name = "_".join(s.lhs.name for s in group.statements if s.lhs in stored) or first.lhs.name
    product = as_product(reduction) if reduction is not None else None
    return Kernel(name, group.space, reduction, maps, stored, product)
