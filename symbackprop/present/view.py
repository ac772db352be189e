"""One derivation seen in one notation: which symbol a tensor has, which way round it stands, what its equation is."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from types import MappingProxyType

from sympy import Add, Expr

from ..errors import PresentationError, did_you_mean
from ..language.indices import make_sum, rewrite
from ..language.nodes import Entry, Index, Size, Sum
from ..language.tensor import BATCH, Tensor
from ..records import Derivation, Equation
from ..simplify.tidy import tidy
from .notation import Notation
from .symbols import GREEK, Symbol, latex_symbol, plain_symbol, symbol_of

SPOKEN = MappingProxyType({word: word for word in ("and", "or", "if", "otherwise")})
"""The words that stand in formulas."""


class View:
    """What the printers and builders of formulas ask; without arguments, the default notation of any tensor."""

    def __init__(
        self,
        notation: Notation | None = None,
        derivation: Derivation | None = None,
        spoken: Mapping[str, str] = SPOKEN,
    ) -> None:
        self.notation = notation or Notation()
        self.spoken = spoken
        self.profile = self.notation.choices
        self.derivation = derivation
        self._symbols: dict[Tensor, Symbol] = {}
        self._alike: dict[Tensor, Tensor] = {}
        for tensor in dict.fromkeys(_tensors(derivation)) if derivation is not None else ():
            self._symbols[tensor] = self._unused(tensor)
        if derivation is not None:
            self._check_wishes()

    @property
    def batch(self) -> str:
        """The letter of the number of samples."""
        return self.profile.batch

    @property
    def columns(self) -> bool:
        """Whether samples are the columns of a matrix."""
        return self.profile.samples == "columns"

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        """Every tensor that has a symbol of its own here."""
        return tuple(self._symbols)

    def source(self, tensor: Tensor) -> Tensor | None:
        """The T of an adjoint or a gradient dL/dT."""
        return self._sources.get(tensor.name.rstrip("_")) if tensor.kind in ("adjoint", "gradient") else None

    def derivative(self, of: Tensor, by: Tensor) -> Tensor:
        """A tensor that is printed as the derivative of one scalar by a tensor, and has that one's axes."""
        style = "nabla" if self.profile.gradient == "nabla" else "partial"
        made = Tensor(f"d{of.name}_d{by.name}", by.dims, "gradient")
        self._alike[made] = by
        self._symbols[made] = replace(self.symbol(by), gradient=style, loss=latex_symbol(self.symbol(of)))
        return made

    def part(self, of: Tensor) -> Tensor:
        """A tensor that is printed as a part of another one: with a 0 below."""
        made = Tensor(f"{of.name}_0", of.dims)
        self._symbols[made] = replace(self.symbol(of), below="0")
        return made

    def generic(self, tensor: Tensor) -> Tensor:
        """The tensor of any layer l that this one, of a layer with a number, is an example of."""
        symbol = self.symbol(tensor)
        made = Tensor(f"{tensor.name}_l", tensor.dims, tensor.kind)
        self._alike[made] = tensor
        below = "l" if isinstance(symbol.below, str) and symbol.below else symbol.below
        self._symbols[made] = replace(symbol, below=below, above=re.sub(r"\d+", "l", symbol.above))
        return made

    def symbol(self, tensor: Tensor) -> Symbol:
        """The tensor's printed name."""
        return self._symbols.get(tensor) or self._named(tensor)

    def order(self, tensor: Tensor) -> tuple[int, ...]:
        """The axes of a matrix from left to right as it is printed: (0, 1), or (1, 0) where it stands transposed."""
        axes = tuple(range(len(tensor.dims)))
        if len(axes) != 2:
            return axes
        turned = bool(self.columns and tensor.dims[0].size is None)
        turned = turned or self._alike.get(tensor, tensor).name in self._kernels
        return axes[::-1] if turned ^ self.numerator(tensor) else axes

    def numerator(self, tensor: Tensor) -> bool:
        """Whether this is a gradient that is written with the transposed shape of its variable."""
        return self.notation.layout == "numerator" and tensor.kind == "gradient"

    def shown(self, equation: Equation) -> Equation:
        """The equation in this notation's quantities: with a sample's own derivatives, N times the mean's, if so."""
        if not self.scaled:
            return equation
        return _per_sample(equation)

    @cached_property
    def scaled(self) -> bool:
        """Whether derivatives by samples' tensors are N times the loss's: where that takes divisions by N away."""
        if self.derivation is None or not self.profile.per_sample:
            return False
        ours = [eq for eq in self.derivation.adjoints if _of_samples(eq.lhs)]
        divided = sum(bool(eq.rhs.has(Size(BATCH))) for eq in ours)
        return sum(bool(_per_sample(eq).rhs.has(Size(BATCH))) for eq in ours) < divided

    @cached_property
    def _kernels(self) -> frozenset[str]:
        """Weights (and their gradients) that stand as (in, out): the first index is the output's, the second summed."""
        if self.derivation is None or not self.profile.kernels:
            return frozenset()
        found: dict[Tensor, bool] = {}
        for eq in self.derivation.forward:
            bound = {i for total in eq.rhs.atoms(Sum) for i in total.bound}
            for e in eq.rhs.atoms(Entry):
                if e.tensor.kind in ("parameter", "state") and len(e.indices) == 2:
                    found.setdefault(e.tensor, e.indices[0] in eq.indices and e.indices[1] in bound)
        names = {t.name for t, turned in found.items() if turned}
        return frozenset(names | {f"d{name}" for name in names})

    @cached_property
    def _sources(self) -> dict[str, Tensor]:
        """The tensor T by the name of dL/dT: dW1, delta1, delta_mu."""
        if self.derivation is None:
            return {}
        made = {f"d{t.name}": t for t in _declared(self.derivation)}
        return made | {t.adjoint or f"delta_{t.name}": t for t in (eq.lhs for eq in self.derivation.forward)}

    def _unused(self, tensor: Tensor) -> Symbol:
        """The tensor's symbol, or where another tensor has that, its plain one with as many primes as it needs."""
        wished = self._named(tensor)
        taken = {Symbol(self.batch), *self._symbols.values()}
        if wished in taken:
            self._check_clash(tensor, wished)
            wished = self._styled(plain_symbol(tensor), tensor)
        while wished in taken:
            wished = replace(wished, primes=wished.primes + 1)
        return wished

    def _check_clash(self, tensor: Tensor, symbol: Symbol) -> None:
        """Raise where it is a reader's own wish that gives two tensors one symbol."""
        others = [t.name for t, s in self._symbols.items() if s == symbol]
        clashing = [tensor.name, *others]
        if any({name, symbol_of(name).letter} & set(self.notation.symbols) for name in clashing):
            raise PresentationError(
                f"symbols={dict(self.notation.symbols)!r} gives one symbol to {' and '.join(clashing)}"
                f"{'' if others else ' and the number of samples'}; choose another one"
            )

    def _check_wishes(self) -> None:
        """Raise for a wish about a tensor or a letter that the derivation has not."""
        names = {t.name for t in self._symbols if t.kind not in ("adjoint", "gradient")}
        known = names | {s.letter + "hat" * s.hat for s in map(symbol_of, names)}
        for name in self.notation.symbols:
            if name not in known:
                raise PresentationError(f"symbols has {name!r}, which is no tensor here.{did_you_mean(name, known)}")

    def _named(self, tensor: Tensor) -> Symbol:
        source, profile = self.source(tensor), self.profile
        if tensor.kind == "gradient" and (source is not None or plain_symbol(tensor).gradient):
            inner = plain_symbol(tensor) if source is None else self.symbol(source)
            return replace(inner, gradient=profile.gradient, loss=profile.loss)
        if tensor.kind == "adjoint" and source is not None and profile.delta != "delta":
            return replace(self.symbol(source), gradient=profile.delta, loss=profile.loss)
        if tensor.name in self.notation.symbols:
            return self._styled(symbol_of(self.notation.symbols[tensor.name]), tensor)
        if tensor.name == "L" and not tensor.dims:
            return self._styled(symbol_of(self.notation.symbols.get("L", profile.loss)), tensor)
        return self._styled(self._lettered(symbol_of(tensor.name), tensor), tensor)

    def _lettered(self, symbol: Symbol, tensor: Tensor) -> Symbol:
        """The symbol with the profile's letter and its place for the number of a layer."""
        known = {**self.profile.letters, **self.notation.symbols}
        name = symbol.letter + ("hat" if symbol.hat else "")
        other = symbol_of(known[name]) if name in known else symbol
        symbol = replace(symbol, letter=other.letter, hat=other.hat)
        number = symbol.above.strip("()") or (symbol.below if isinstance(symbol.below, str) else "")
        if number.isdigit() and self.profile.layer and tensor.kind != "hyper":
            symbol = replace(symbol, below="", above=self.profile.layer.format(number))
        if self.profile.capitals and len(symbol.letter) == 1 and len(tensor.dims) > 1:
            symbol = replace(symbol, letter=symbol.letter.upper())
        return symbol

    def _styled(self, symbol: Symbol, tensor: Tensor) -> Symbol:
        bold = self.notation.fonts == "bold" and bool(tensor.dims)
        capital = bold and len(tensor.dims) > 1 and len(symbol.letter) == 1 and symbol.letter not in GREEK
        return replace(symbol, bold=bold, letter=symbol.letter.upper() if capital else symbol.letter)


PLAIN = View()
"""The default notation."""


def _declared(derivation: Derivation) -> Iterator[Tensor]:
    system = derivation.system
    yield from (*system.inputs, *system.targets, *system.parameters, *system.states, *system.randoms, *system.hypers)
    yield from (eq.lhs for eq in (*derivation.forward, derivation.objective, *(derivation.inference or ())))


def _tensors(derivation: Derivation) -> Iterator[Tensor]:
    """Every tensor of a derivation, the declared ones first."""
    yield from _declared(derivation)
    yield from (eq.lhs for eq in (*derivation.adjoints, *derivation.gradients, *derivation.updates))
    if derivation.update is not None:
        update = derivation.update
        yield from (update.theta, update.gradient, update.step, *update.states, *update.hypers)
        yield from (eq.lhs for eq in update.equations)


def _of_samples(tensor: Tensor) -> bool:
    """Whether a derivative belongs to a sample: to one of the batch's axes."""
    return tensor.kind in ("adjoint", "gradient") and any(d.size is None for d in tensor.dims)


def _per_sample(equation: Equation) -> Equation:
    """The equation where every derivative by what belongs to a sample is N times as large."""
    if not any(map(_of_samples, (equation.lhs, *(e.tensor for e in equation.rhs.atoms(Entry))))):
        return equation
    rhs = _of_a_sample(equation.lhs, equation.rhs)
    if rhs == equation.rhs:
        return equation
    computed = None if equation.computed is None else _of_a_sample(equation.lhs, equation.computed)
    return tidy(replace(equation, rhs=rhs, computed=computed))[0]


def _of_a_sample(tensor: Tensor, expr: Expr) -> Expr:
    rhs = _in_samples(expr)
    return Add(*(Size(BATCH) * term for term in Add.make_args(rhs))) if _of_samples(tensor) else rhs


def _in_samples(expr: Expr) -> Expr:
    """`expr` with 1/N of the sample's own derivative for every derivative of the mean, 1/N in front of the sums."""
    if not any(_of_samples(entry.tensor) for entry in expr.atoms(Entry)):
        return expr

    def rule(node: Expr) -> Expr:
        if isinstance(node, Entry) and _of_samples(node.tensor):
            return node / Size(BATCH)
        return make_sum(node.body, node.bound) if isinstance(node, Sum) else node

    return rewrite(expr, rule)


def printed_indices(indices: tuple[Index, ...], tensor: Tensor, view: View) -> tuple[Index, ...]:
    """The indices of a tensor's entry in the order in which the view prints its axes."""
    return tuple(indices[axis] for axis in view.order(tensor))
