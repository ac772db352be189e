"""Kernels as the C templates read them: loops, printed lines, arguments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sympy import Expr

from ..language.nodes import Entry, Index, Size
from ..language.tensor import Tensor
from ..lower.program import SUM, Kernel, Statement
from ..lower.share import Shared, share
from .comments import kernel_comments
from .dialect import C_DOUBLE, Dialect
from .names import index_letters, volume
from .printer import UNARY, Printer

ROW = 1024  # entries of a row whose sum may be rounded to `real`


@dataclass(frozen=True, slots=True)
class Loop:
    """`for (index = 0; index < extent; index++)`."""

    index: str
    extent: str


@dataclass(frozen=True, slots=True)
class Local:
    """A named value inside the loops, or a scalar before them."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Argument:
    """An array that a kernel reads or writes."""

    name: str
    const: bool
    shape: str


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
class KernelView:
    """All that a kernel's template reads."""

    name: str
    form: str
    comments: tuple[str, ...]
    arguments: tuple[Argument, ...]
    scalars: tuple[Local, ...]
    loops: tuple[Loop, ...]
    over: tuple[Loop, ...]
    op: str
    acc: str
    acc_type: str
    partial: bool
    inside: tuple[Local, ...]
    term: str
    target: str
    values: tuple[Local, ...]
    stores: tuple[Local, ...]
    matrices: Matrices | None


def kernel_view(
    kernel: Kernel, names: Mapping[Tensor, str], scalars: Mapping[Tensor, str], dialect: Dialect
) -> KernelView:
    """One kernel, printed. `names` are arrays, `scalars` hyper-parameters as C expressions of type double."""
    return _Writer(kernel, names, scalars, dialect).view()


class _Writer:
    """Prints one kernel; lives for one call of `kernel_view`."""

    def __init__(
        self, kernel: Kernel, names: Mapping[Tensor, str], scalars: Mapping[Tensor, str], dialect: Dialect
    ) -> None:
        self.kernel, self.names, self.hypers, self.dialect = kernel, names, scalars, dialect
        self.form = kernel.form
        read = {e.tensor for s in kernel.statements for e in s.body.atoms(Entry)}
        made = {s.lhs for s in kernel.statements}
        self.used = [t for t in names if t in read | made and t not in scalars]
        over = kernel.reduction.over if kernel.reduction else ()
        self.letters = index_letters((*kernel.space, *over), (names[t] for t in self.used))
        self.local = {s.lhs: f"{names[s.lhs]}_{''.join(self.letters[i] for i in kernel.space)}".rstrip("_") + "_"
                      for s in kernel.statements}  # fmt: skip
        self.made_at = {s.lhs: s.indices for s in kernel.statements}

    def view(self) -> KernelView:
        k = self.kernel
        inner = share([self._summed()], self._is_scalar) if k.reduction else Shared((), (), ())
        outer = share([s.body for s in k.maps], self._is_scalar, max(len(inner.scalars), len(inner.values)))
        reduction = k.reduction
        return KernelView(
            name="k_" + k.name,
            form=self.form.name,
            comments=kernel_comments(k),
            arguments=tuple(self._argument(t) for t in self.used if self._is_array(t)),
            scalars=tuple(Local(n.name, self._double(n.value)) for n in (*inner.scalars, *outer.scalars)),
            loops=self._loops(self.form.space),
            over=self._loops(self.form.over),
            op=reduction.op if reduction else "",
            acc=self.local[reduction.lhs] if reduction else "",
            acc_type="double" if not k.space and reduction and reduction.op == SUM else "real",
            partial=self._sums_rows(),
            inside=tuple(Local(n.name, self._text(n.value)) for n in inner.values),
            term=self._text(inner.bodies[0]) if reduction else "",
            target=self._place(reduction) if reduction and self.form.name == "outer" else "",
            values=self._values(outer),
            stores=tuple(
                Local(self._place(s), self.local[s.lhs])
                for s in k.statements
                if s.lhs in k.stored and not self._is_target(s.lhs)
            ),
            matrices=self._matrices(inner.bodies[0]) if self.form.name == "product" else None,
        )

    def _sums_rows(self) -> bool:
        """A sum to one number adds up each short row in `real`, which fills the vectors, and the rows in double."""
        over = self.form.over
        if self.kernel.space or self.kernel.reduction is None or self.kernel.reduction.op != SUM or len(over) < 2:
            return False
        last = over[-1].dim
        return last is not None and last.size is not None and last.size <= ROW

    def _summed(self) -> Expr:
        """The body that the reduction's loop evaluates: of a product, only its scalar factor."""
        assert self.kernel.reduction is not None
        product = self.kernel.product
        return product.factor if product is not None and self.form.name == "product" else self.kernel.reduction.body

    def _values(self, shared: Shared) -> tuple[Local, ...]:
        """Shared values and the statements' own, each after what it reads."""
        todo = [(n.name, n.value) for n in shared.values]
        own = [(self.local[s.lhs], b) for s, b in zip(self.kernel.maps, shared.bodies, strict=True)]
        out: list[Local] = []
        known = {self.local[self.kernel.reduction.lhs]} if self.kernel.reduction else set()
        queue = todo + own
        names = {name for name, _ in queue}
        while queue:
            for item in queue:
                name, value = item
                text = self._text(value)
                needs = {self.local[e.tensor] for e in value.atoms(Entry) if e.tensor in self.local}
                needs |= {s.name for s in value.free_symbols if s.name in names}
                if needs <= known:
                    out.append(Local(name, text))
                    known.add(name)
                    queue.remove(item)
                    break
            else:
                raise AssertionError(f"kernel {self.kernel.name}: values need each other")
        return tuple(out)

    def _is_scalar(self, leaf: Expr) -> bool:
        if isinstance(leaf, Entry):
            return leaf.tensor in self.hypers
        return isinstance(leaf, Size)

    def _is_array(self, tensor: Tensor) -> bool:
        return tensor in self.kernel.stored or tensor not in self.local or self._is_target(tensor)

    def _is_target(self, tensor: Tensor) -> bool:
        reduction = self.kernel.reduction
        return self.form.name == "outer" and reduction is not None and tensor is reduction.lhs

    def _argument(self, tensor: Tensor) -> Argument:
        return Argument(self.names[tensor], tensor not in self.local, tensor.shape_text)

    def _loops(self, indices: Sequence[Index]) -> tuple[Loop, ...]:
        if self.form.flat and tuple(indices) == self.form.space:
            return (Loop("i", volume(i.dim for i in indices)),)
        return tuple(Loop(self.letters[i], _extent(i)) for i in indices)

    def _text(self, expr: Expr) -> str:
        return Printer(self.dialect, self._leaf).text(expr)

    def _double(self, expr: Expr) -> str:
        return Printer(C_DOUBLE, self._double_leaf).text(expr)

    def _double_leaf(self, e: Expr) -> str | None:
        if isinstance(e, Entry):
            return self.hypers[e.tensor]
        if isinstance(e, Size):
            return f"(double){e.dim.name}" if e.dim.size is None else f"{e.dim.size}.0"
        return None

    def _leaf(self, e: Expr) -> str | tuple[str, int] | None:
        if isinstance(e, Entry):
            here = self.made_at.get(e.tensor)
            if here is not None and e.indices == here:
                return self.local[e.tensor]
            return f"{self.names[e.tensor]}[{self._offset(e.tensor, e.indices)}]"
        if isinstance(e, Index):
            return f"(real){self.letters[e]}", UNARY
        return None

    def _place(self, s: Statement) -> str:
        return f"{self.names[s.lhs]}[{self._offset(s.lhs, s.indices)}]"

    def _offset(self, tensor: Tensor, indices: Sequence[Expr]) -> str:
        if self.form.flat and tuple(indices) == self.form.space:
            return "i"
        text = ""
        for dim, index in zip(tensor.dims, indices, strict=True):
            letter = self.letters[index] if isinstance(index, Index) else str(index)
            if not text:
                text = letter
            else:
                size = dim.name if dim.size is None else str(dim.size)
                text = f"({text})*{size} + {letter}" if " " in text else f"{text}*{size} + {letter}"
        return text or "0"

    def _matrices(self, factor: Expr) -> Matrices:
        p = self.kernel.product
        assert p is not None
        strides = {**_strides(p.left, p.left_indices, "l"), **_strides(p.right, p.right_indices, "r")}
        return Matrices(
            rows=volume(i.dim for i in p.rows),
            columns=volume(i.dim for i in p.columns),
            inner=volume(i.dim for i in p.inner),
            vectors=f"SBP_VECTORS({volume(i.dim for i in p.columns)})" if _fixed(p.columns) else "2",
            row_split=self._split(p.rows, "row"),
            column_split=self._split(p.columns, "column"),
            left=self.names[p.left],
            left_row=strides["l", p.rows[-1]],
            left_inner=strides["l", p.inner[-1]],
            right=self.names[p.right],
            right_inner=strides["r", p.inner[-1]],
            right_column=strides["r", p.columns[-1]],
            factor="" if p.factor == 1 else f"{Printer(self.dialect, self._leaf).text(factor, UNARY)}*",
        )

    def _split(self, group: Sequence[Index], flat: str) -> tuple[Local, ...]:
        """Each index of a group from the flat one, by division."""
        made = []
        for place, index in enumerate(group):
            rest = volume(i.dim for i in group[place + 1 :]) if group[place + 1 :] else ""
            text = f"{flat}/({rest})" if rest else flat
            made.append(Local(self.letters[index], text if place == 0 else f"{text}%{_extent(index)}"))
        return tuple(made)


def _extent(index: Index) -> str:
    assert index.dim is not None
    return index.dim.name if index.dim.size is None else str(index.dim.size)


def _fixed(indices: Sequence[Index]) -> bool:
    return all(i.dim is not None and i.dim.size is not None for i in indices)


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
