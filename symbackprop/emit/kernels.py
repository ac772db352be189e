"""Kernels as the C templates read them: loops, printed lines, arguments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sympy import Expr

from ..language.indices import entries_of, flat_position
from ..language.nodes import ArgMax, Entry, Index, MaxOver, Size
from ..language.tensor import Tensor
from ..lower.limits import Limit, limits_of
from ..lower.program import ARGMAX, SUM, Kernel, Statement
from ..lower.share import Shared, share
from .comments import kernel_comments
from .dialect import C_DOUBLE, Dialect
from .matrices import Copied, Matrices, Side, copied_of, matrices_of
from .names import index_letters, volume
from .nests import Local, Loop, limited_loops
from .printer import UNARY, Printer
from .reads import Reads, as_real

TO_MEMORY = ("outer", "rows", "scatter")  # forms whose reduction adds to memory
ROW = 1024  # entries of a row whose sum may be rounded to `real`


@dataclass(frozen=True, slots=True)
class Argument:
    """An array that a kernel reads or writes."""

    name: str
    const: bool
    shape: str


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
    row: tuple[Loop, ...]
    op: str
    acc: str
    acc_type: str
    partial: bool
    strict: bool
    position: str
    places: tuple[Local, ...]
    inside: tuple[Local, ...]
    term: str
    target: str
    values: tuple[Local, ...]
    stores: tuple[Local, ...]
    matrices: Matrices | None
    copied: Copied | None


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
        read = {e.tensor for s in kernel.statements for e in entries_of(s.body)}
        made = {s.lhs for s in kernel.statements}
        self.used = [t for t in names if t in read | made and t not in scalars]
        over = kernel.reduction.over if kernel.reduction else ()
        self.letters = index_letters((*kernel.space, *over), (names[t] for t in self.used))
        self.local = {s.lhs: f"{names[s.lhs]}_{''.join(self.letters[i] for i in kernel.space)}".rstrip("_") + "_"
                      for s in kernel.statements}  # fmt: skip
        made_at = {s.lhs: (s.indices, self.local[s.lhs]) for s in kernel.statements}
        self.reads = Reads(names, self.letters, made_at, self.form.space if self.form.flat else None)
        self.limits = self._limits()

    def view(self) -> KernelView:
        k = self.kernel
        reduction = k.reduction
        sides = self._sides()
        hoisted = [n for side in sides for n in side.scalars]
        used = max([len(hoisted), *(len(side.values) for side in sides)])
        outer = share([s.body for s in k.maps], self._is_scalar, used)
        texts = self._side_texts(sides)
        return KernelView(
            name="k_" + k.name,
            form=self.form.name,
            comments=kernel_comments(k),
            arguments=tuple(self._argument(t) for t in self.used if self._is_array(t)),
            scalars=tuple(Local(n.name, self._double(n.value)) for n in (*hoisted, *outer.scalars)),
            loops=self._loops(self.form.space),
            over=self._limited(self.form.over),
            row=self._limited(self.form.row),
            op=reduction.op if reduction else "",
            acc=self.local[reduction.lhs] if reduction else "",
            acc_type="double" if not k.space and reduction and reduction.op == SUM else "real",
            partial=self._sums_rows(),
            strict=reduction is not None and reduction.source.rhs.has(MaxOver, ArgMax),
            position=self._position(),
            places=self._places(),
            inside=texts[0].inside,
            term=texts[0].text,
            target=self._place(reduction) if reduction and self.form.name in TO_MEMORY else "",
            values=self._values(outer),
            stores=tuple(
                Local(self._place(s), self.local[s.lhs])
                for s in k.statements
                if s.lhs in k.stored and not self._is_target(s.lhs)
            ),
            matrices=self._matrices(texts[0].text) if self.form.name == "product" else None,
            copied=copied_of(g, self.letters, texts, self._loops(g.around)) if (g := self.form.gathered) else None,
        )

    def _limits(self) -> tuple[Limit, ...]:
        """What the loops of the reduction may leave out, by the order in which they stand."""
        form, reduction = self.form, self.kernel.reduction
        if reduction is None:
            return ()
        if form.name == "inner":
            return limits_of(reduction, (*form.space, *form.over), form.over)
        if form.name in TO_MEMORY:
            lead = tuple(i for i in form.space if i not in form.row) if form.name == "rows" else ()
            return limits_of(reduction, (*lead, *form.over, *form.row), (*form.over, *form.row))
        return ()

    def _position(self) -> str:
        """Of an arg max: the number of the entry where the loops are."""
        reduction = self.kernel.reduction
        if reduction is None or reduction.op != ARGMAX:
            return ""
        return as_real(self.reads.integers.text(flat_position(reduction.over)))

    def _places(self) -> tuple[Local, ...]:
        """Of a scatter: the indices that are read from data."""
        found = self.form.scatter
        return tuple(Local(self.letters[i], self.reads.integers.text(p)) for i, p in found.places) if found else ()

    def _matrices(self, factor: str) -> Matrices:
        assert self.kernel.product is not None
        return matrices_of(self.kernel.product, self.names, self.letters, f"{factor}*" if factor else "")

    def _sides(self) -> list[Shared]:
        """What the reduction's loop evaluates, with names of its own for each of two sides of a product."""
        made: list[Shared] = []
        for body in self._summed():
            first = max([0, sum(len(m.scalars) for m in made), *(len(m.values) for m in made)])
            made.append(share([body], self._is_scalar, first))
        return made

    def _side_texts(self, sides: Sequence[Shared]) -> tuple[Side, ...]:
        """Those printed; tests that the loops' limits answer are not asked again."""
        if not sides:
            return (Side("", ()),)
        answered = frozenset(x.test for x in self.limits)
        printer = Printer(self.dialect, lambda e: self.reads.leaf(e, answered))
        level = UNARY if self.form.name == "product" else 0
        return tuple(
            Side(printer.text(m.bodies[0], level), tuple(Local(n.name, printer.text(n.value)) for n in m.values))
            for m in sides
        )

    def _sums_rows(self) -> bool:
        """A sum to one number adds up each short row in `real`, which fills the vectors, and the rows in double."""
        over = self.form.over
        if self.kernel.space or self.kernel.reduction is None or self.kernel.reduction.op != SUM or len(over) < 2:
            return False
        last = over[-1].dim
        return last is not None and last.size is not None and last.size <= ROW

    def _summed(self) -> list[Expr]:
        """The body of the reduction: of a product only its scalar factor, or both sides of it."""
        reduction, product, form = self.kernel.reduction, self.kernel.product, self.form
        if reduction is None:
            return []
        if form.name == "product" and product is not None:
            return [product.factor] if product.factor != 1 else []
        if form.gathered is not None:
            return [form.gathered.left, form.gathered.right]
        return [reduction.body if form.scatter is None else form.scatter.body]

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
                needs = {self.local[e.tensor] for e in entries_of(value) if e.tensor in self.local}
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
        return self.form.name in TO_MEMORY and reduction is not None and tensor is reduction.lhs

    def _argument(self, tensor: Tensor) -> Argument:
        return Argument(self.names[tensor], tensor not in self.local, tensor.shape_text)

    def _loops(self, indices: Sequence[Index]) -> tuple[Loop, ...]:
        if self.form.flat and tuple(indices) == self.form.space:
            return (Loop("i", volume(i.dim for i in indices)),)
        return limited_loops(indices, (), self.letters, self.reads.integers)

    def _limited(self, indices: Sequence[Index]) -> tuple[Loop, ...]:
        return limited_loops(indices, self.limits, self.letters, self.reads.integers)

    def _text(self, expr: Expr) -> str:
        return Printer(self.dialect, self.reads.leaf).text(expr)

    def _double(self, expr: Expr) -> str:
        return Printer(C_DOUBLE, self._double_leaf).text(expr)

    def _double_leaf(self, e: Expr) -> str | None:
        if isinstance(e, Entry):
            return self.hypers[e.tensor]
        if isinstance(e, Size):
            return f"(double){e.dim.name}" if e.dim.size is None else f"{e.dim.size}.0"
        return None

    def _place(self, s: Statement) -> str:
        return self.reads.text(Entry(s.lhs, *s.indices))
