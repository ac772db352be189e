"""Print statements as NumPy expressions on whole arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from sympy import Expr, Integer, Mul, Piecewise

from ..language.brackets import At, Inside, NotAt, Part
from ..language.indices import entries_of, flat_position, free_indices, substitute
from ..language.nodes import Entry, Index, Size
from ..language.tensor import Tensor
from ..lower.positions import is_plain, spans
from ..lower.program import ARGMAX, MAP, MAX, SUM, Statement, Where
from ..lower.scatter import as_scatter
from .dialect import NUMPY
from .gathers import Places, condition_of, gathered, size_of
from .printer import ATOM, MATMUL, UNARY, Printer

LETTERS = "abcdefghijklmnopqrstuvw"
REDUCERS = {SUM: "np.sum", MAX: "np.max", ARGMAX: "np.argmax"}


class Arrays:
    """Spells statements; `inlined` are helper sums that are written where they are used."""

    def __init__(self, names: Mapping[Tensor, str], inlined: Mapping[Tensor, Statement]) -> None:
        self.names = names
        self.inlined = inlined
        self.places = Places(lambda e, space: self.over(e, space, ATOM), _aligned)

    def value(self, s: Statement) -> str:
        """The array that a statement assigns, axes in the order of its left side."""
        return self._value(s)[0]

    def _value(self, s: Statement) -> tuple[str, int]:
        """That array, and how tightly its text binds."""
        return self._map(s) if s.op == MAP else self._reduction(s)

    def _map(self, s: Statement) -> tuple[str, int]:
        text, own = _ArrayPrinter(self, s.indices).spelled(s.body)
        if set(free_indices(s.body)) >= set(s.indices) or not s.indices:
            return text, own
        shape = ", ".join(size_of(i) for i in s.indices)
        return f"np.broadcast_to(real({text}), ({shape},))", ATOM

    def over(self, expr: Expr, space: tuple[Index, ...], level: int = 0) -> str:
        """`expr` as an array that broadcasts over `space`."""
        return _ArrayPrinter(self, space).text(expr, level)

    def leaf(self, e: Expr, space: tuple[Index, ...]) -> str | tuple[str, int] | None:
        """Entries, sizes, bare indices, and tests of indices."""
        if isinstance(e, Entry):
            made = self.inlined.get(e.tensor)
            if not _is_simple(e):
                return _aligned(*self._gathered(e, made), space), ATOM
            return self._aligned_entry(e, space) if made is None else self._inlined(made, e, space)
        if isinstance(e, Size):
            return str(e.dim.size) if e.dim.size is not None else e.dim.name
        if isinstance(e, Index):
            return _aligned(f"np.arange({size_of(e)})", (e,), space)
        if isinstance(e, Part):
            return f"({self.places.text(e, space)})"
        if isinstance(e, At):
            one, two = e.args
            return self.places.equal(one, two, space, "!=" if isinstance(e, NotAt) else "=="), 0
        if isinstance(e, Inside):
            return condition_of(e, space, self.places), 0
        return None

    def _gathered(self, e: Entry, made: Statement | None) -> tuple[str, tuple[Index, ...]]:
        """An entry elsewhere than at its own indices, with the index of each axis."""
        if made is None:
            return gathered(self.names[e.tensor], e, self.places)
        text, own = self._value(made)
        return gathered(text if own >= ATOM else f"({text})", e, self.places)

    def _inlined(self, made: Statement, e: Entry, space: tuple[Index, ...]) -> tuple[str, int]:
        """A helper's value written out where it is read, and how tightly that text binds."""
        renaming = dict(zip(made.indices, e.indices, strict=True))
        here = replace(made, indices=tuple(renaming.values()), body=substitute(made.body, renaming))
        text, own = self._value(here)
        placed = _aligned("", here.indices, space)
        if not placed:
            return text, own
        return (f"({text}){placed}" if own < ATOM else text + placed), ATOM

    def _aligned_entry(self, e: Entry, space: tuple[Index, ...]) -> str:
        text = self.names[e.tensor]
        plain = [i for i in e.indices if isinstance(i, Index)]
        if len(plain) < len(e.indices):
            text += "[" + ", ".join(":" if isinstance(i, Index) else str(i) for i in e.indices) + "]"
        if len(set(plain)) < len(plain):
            letters = {i: LETTERS[a] for a, i in enumerate(dict.fromkeys(plain))}
            spelled = "".join(letters[i] for i in plain)
            text = f'np.einsum("{spelled}->{"".join(letters.values())}", {text})'
            plain = list(letters)
        return _aligned(text, tuple(plain), space)

    def _reduction(self, s: Statement) -> tuple[str, int]:
        if s.op == SUM:
            product = self._scattered(s) or self._product(s)
            if product is not None:
                return product
        if s.op == ARGMAX and len(s.over) > 1:
            return self._first_largest(s), ATOM
        order = self._natural_order(s)
        axes = [a for a, i in enumerate(order) if i in s.over]
        axis = str(axes[0]) if len(axes) == 1 else str(tuple(axes))
        body = self.over(s.body, order)
        text = f"{REDUCERS[s.op]}({body})" if not s.indices else f"{REDUCERS[s.op]}({body}, axis={axis})"
        return _aligned(text, tuple(i for i in order if i not in s.over), s.indices), ATOM

    def _first_largest(self, s: Statement) -> str:
        """An arg max over several indices: its place among the entries of all of them, counted in order."""
        order = (*s.indices, *s.over)
        body = self._full(s.body, order)
        lead = "".join(f"{size_of(i)}, " for i in s.indices)
        return f"np.argmax({body}.reshape({lead}-1), axis=-1)"

    def _scattered(self, s: Statement) -> tuple[str, int] | None:
        """A sum that adds at places read from data."""
        found = as_scatter(s)
        if found is None:
            return None
        places = dict(found.places)
        order = (*s.over, *(i for i in s.indices if i not in places))
        flat = substitute(flat_position(s.indices), places)
        shape = ", ".join(map(size_of, s.indices))
        length = "*".join(map(size_of, s.indices))
        at, values = f"({self.places.text(flat, order)})", self._full(found.body, order)
        if set(free_indices(flat)) < set(order):
            at = f"np.broadcast_to({at}, {_shape(order)})"
        return f"np.bincount({at}.ravel(), {values}.ravel(), {length}).reshape({shape}).astype(real)", ATOM

    def _full(self, body: Expr, order: tuple[Index, ...]) -> str:
        """The body as an array that has every axis of `order` in full."""
        if set(free_indices(body)) >= set(order):
            return self.over(body, order, ATOM)
        return f"np.broadcast_to({self.over(body, order)}, {_shape(order)})"

    def _natural_order(self, s: Statement) -> tuple[Index, ...]:
        """The order of axes of an entry that has them all, else the statement's own with the summed ones last."""
        wanted = {*s.indices, *s.over}
        for e in sorted(entries_of(s.body), key=lambda e: e.sort_key()):
            if len(e.indices) == len(wanted) and set(e.indices) == wanted:
                return tuple(i for i in e.indices if isinstance(i, Index))
        return (*s.indices, *s.over)

    def _product(self, s: Statement) -> tuple[str, int] | None:
        """A product of entries: `A @ B` where it is one, else einsum."""
        factors = Mul.make_args(s.body)
        entries = sorted((f for f in factors if isinstance(f, Entry) and f.indices), key=lambda e: e.sort_key())
        rest = Mul(*(f for f in factors if f not in entries))
        if len(entries) < 2 or free_indices(rest):
            return None
        if not all(map(is_plain, entries)):
            text, own = self._einsum_of_reads(s, entries), ATOM
            return (text, own) if rest == 1 else (f"{self.over(rest, (), UNARY)}*{text}", MATMUL)
        matmul = _matmul(self, s, entries)
        text, own = (self._einsum(s, entries), ATOM) if matmul is None else (matmul, MATMUL)
        return (text, own) if rest == 1 else (f"{self.over(rest, (), UNARY)}*({text})", MATMUL)

    def _einsum(self, s: Statement, entries: list[Entry]) -> str:
        used = dict.fromkeys(i for e in entries for i in e.indices)
        letters = {i: LETTERS[a] for a, i in enumerate(used)}
        inputs = ",".join("".join(letters[i] for i in e.indices) for e in entries)
        output = "".join(letters[i] for i in s.indices)
        return f'np.einsum("{inputs}->{output}", {", ".join(self._whole(e) for e in entries)})'

    def _einsum_of_reads(self, s: Statement, entries: list[Entry]) -> str:
        """The same for entries elsewhere than at their own indices, each as an array of all that is read."""
        reads = [(self._whole(e), e.indices) if _is_simple(e) and is_plain(e) else self._read(e) for e in entries]
        used = dict.fromkeys((*s.indices, *(i for _, have in reads for i in have)))
        letters = {i: LETTERS[a] for a, i in enumerate(used)}
        inputs = ",".join("".join(letters[i] for i in have) for _, have in reads)
        output = "".join(letters[i] for i in s.indices)
        return f'np.einsum("{inputs}->{output}", {", ".join(text for text, _ in reads)}, optimize=True)'

    def _read(self, e: Entry) -> tuple[str, tuple[Index, ...]]:
        if not _is_simple(e):
            return self._gathered(e, self.inlined.get(e.tensor))
        have = tuple(dict.fromkeys(i for i in e.indices if isinstance(i, Index)))
        return self.over(e, have), have

    def _whole(self, e: Entry) -> str:
        return self.over(e, e.indices)

    def operand(self, e: Entry, transposed: bool) -> str:
        """A whole tensor as a factor of `@`."""
        return self.over(e, e.indices, ATOM) + ".T" if transposed else self.over(e, e.indices, UNARY)


class _ArrayPrinter(Printer):
    """The scalar printer with arrays for leaves, and NumPy's ways with masks and constants."""

    def __init__(self, arrays: Arrays, space: tuple[Index, ...]) -> None:
        self.inlined = arrays.inlined
        super().__init__(NUMPY, lambda e: arrays.leaf(e, space))

    def weight(self, e: Expr) -> int:
        """A helper that is written out weighs as much as a product."""
        return super().weight(e) + sum(2 for entry in entries_of(e) if entry.tensor in self.inlined)

    def _choice(self, branches: tuple[Expr, ...]) -> str:
        if all(not value.has(Entry) for value, _ in (b.args for b in branches)):
            value, condition = branches[0].args
            if condition == True:  # noqa: E712  (SymPy's own true)
                return f"real({self.text(value)})"
            rest = self._choice(branches[1:])
            return f"np.where({self.condition(condition)}, real({self.text(value)}), {rest})"
        return super()._choice(branches)

    def _where(self, e: Where) -> tuple[str, int]:
        text, own = super()._where(e)
        return (text, own) if e.args[0].has(Entry) else (f"real({text})", ATOM)

    def text(self, expr: Expr, level: int = 0) -> str:
        if level >= UNARY and (_is_mask(expr) or isinstance(expr, (At, Inside))):
            return f"({self.condition(expr.args[0].args[1] if _is_mask(expr) else expr)})"
        return super().text(expr, level)

    def spelled(self, expr: Expr) -> tuple[str, int]:
        """A test that stands by itself is a number."""
        return (f"real({self.condition(expr)})", ATOM) if isinstance(expr, (At, Inside)) else super().spelled(expr)


def _is_mask(e: Expr) -> bool:
    return isinstance(e, Piecewise) and len(e.args) == 2 and e.args[0].args[0] == 1 and e.args[1].args[0] == 0


def _is_simple(e: Entry) -> bool:
    """Whether an entry has a number or an index that spans it on every axis."""
    pairs = zip(e.indices, e.tensor.dims, strict=True)
    return e.outside is None and all(isinstance(i, Integer) or (isinstance(i, Index) and spans(i, d)) for i, d in pairs)


def _shape(order: tuple[Index, ...]) -> str:
    return f"({', '.join(map(size_of, order))},)"


def _within(indices: tuple[Index, ...], space: tuple[Index, ...]) -> tuple[Index, ...]:
    return tuple(i for i in space if i in indices)


def _aligned(text: str, have: tuple[Index, ...], space: tuple[Index, ...]) -> str:
    """An array with axes `have` transposed and padded so that it broadcasts over `space`."""
    want = _within(have, space)
    if want != have:
        order = tuple(have.index(i) for i in want)
        text = f"{text}.T" if order == tuple(reversed(range(len(have)))) else f"{text}.transpose{order}"
    if not want:
        return text
    marks = [":" if i in want else "None" for i in space[space.index(want[0]) :]]
    return text if "None" not in marks else f"{text}[{', '.join(marks)}]"


def _matmul(arrays: Arrays, s: Statement, entries: list[Entry]) -> str | None:
    if len(entries) != 2 or len(s.over) != 1:
        return None
    (inner,) = s.over
    for left, right in (entries, entries[::-1]):
        rows = tuple(i for i in left.indices if i != inner)
        columns = tuple(i for i in right.indices if i != inner)
        if len(left.indices) > 2 or len(right.indices) > 2 or set(rows) & set(columns) or not rows:
            continue
        if inner in left.indices and inner in right.indices and (*rows, *columns) == s.indices:
            ordered = ((left, (*rows, inner)), (right, (inner, *columns)))
            return " @ ".join(arrays.operand(entry, order != entry.indices) for entry, order in ordered)
    return None
