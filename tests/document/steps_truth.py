"""What the lines of an explanation say, computed, and what JAX's derivatives of the forward equations say instead."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import jax
import numpy as np

from symbackprop.document.records import Formula
from symbackprop.language.tensor import Tensor
from symbackprop.present import tree as t
from symbackprop.present.view import View
from symbackprop.records import Derivation
from tests import interpreter
from tests.present.evaluate import BATCH, Trees, size_of

jax.config.update("jax_enable_x64", True)
jax.config.update("jax_platforms", "cpu")

import jax.numpy as jnp  # noqa: E402  (after the switch to float64)

Array = Any
WINDOW = 2
"""The length of a window whose letter stands on no axis: of a pooling layer."""


class Truth:
    """The values of a network's tensors at random data, and the derivatives of its loss, as JAX finds them."""

    def __init__(self, derivation: Derivation, seed: int = 0) -> None:
        self.derivation = derivation
        self.equations = {eq.lhs: eq for eq in (*derivation.system.forward, derivation.system.objective)}
        everything = (*derivation.forward, derivation.objective)
        draw = np.random.default_rng(seed)
        given = {tensor: random_value(tensor, draw) for tensor in interpreter.read_by(everything)}
        self.values: dict[Tensor, Array] = interpreter.run(everything, given, BATCH)
        self.given = given
        self._jacobians: dict[tuple[Tensor, Tensor], Array] = {}

    @cached_property
    def totals(self) -> dict[Tensor, Array]:
        """dL/dT for every tensor T that has been computed or is a parameter."""

        def loss(changes: dict[str, Array]) -> Array:
            known = {k: v + changes.get(k.name, 0) for k, v in self.given.items()}
            for eq in self.equations.values():
                made = interpreter.evaluate(eq.rhs, eq.indices, known, BATCH, jnp)
                known[eq.lhs] = made + changes.get(eq.lhs.name, 0)
            return known[self.derivation.objective.lhs]

        wanted = (*self.derivation.system.parameters, *self.equations)
        found = jax.grad(loss)({k.name: np.zeros(np.shape(self.values[k])) for k in wanted})
        return {k: np.asarray(found[k.name]) for k in wanted}

    def jacobian(self, of: Tensor, by: Tensor) -> Array:
        """The derivative of one equation's left side by a tensor that it reads, everything else held fast."""
        if (of, by) not in self._jacobians:
            eq = self.equations[of]

            def side(value: Array) -> Array:
                return interpreter.evaluate(eq.rhs, eq.indices, {**self.values, by: value}, BATCH, jnp)

            self._jacobians[of, by] = np.asarray(jax.jacrev(side)(self.values[by]))
        return self._jacobians[of, by]

    def through(self, number: int, by: Tensor) -> Array:
        """The part of dL/dT that comes through the equation with a number."""
        numbered = (*self.derivation.forward, self.derivation.objective)
        of = next(eq.lhs for eq in numbered if eq.number == number)
        return np.tensordot(self.totals[of], self.jacobian(of, by), axes=len(of.dims))


def random_value(tensor: Tensor, draw: np.random.Generator) -> Array:
    """Labels that are labels, whole numbers where an index is read, anything else at random."""
    shape = tuple(map(size_of, tensor.dims))
    if tensor.levels is not None:
        return draw.integers(0, tensor.levels, shape).astype(float)
    if "normalized" in tensor.traits:
        return draw.dirichlet(np.ones(shape[-1]), shape[:-1])
    positive = tensor.kind in ("hyper", "random") or "unit" in tensor.traits
    return draw.uniform(0.1, 0.9, shape) if positive else draw.normal(size=shape)


class StepTrees(Trees):
    """Trees in a view: matrices stand as the view has them, and derivatives are looked up."""

    def __init__(self, truth: Truth, view: View, ranges: Mapping[str, int] | None = None) -> None:
        super().__init__({}, ranges)
        self.truth, self.view = truth, view

    def value(self, tensor: Tensor) -> Array:
        """The array of a tensor in the order of its own axes: a derivative in the view's quantities, or a value."""
        source = self.view.source(tensor)
        if source is None:
            return self.truth.values[tensor]
        return self.truth.totals[source] * scale(tensor, self.view)

    def printed(self, tensor: Tensor, array: Array) -> Array:
        """An array as the matrix of a tensor is printed."""
        return np.transpose(array, self.view.order(tensor)) if len(tensor.dims) == 2 else array

    def _leaf(self, node: t.Leaf) -> Array:
        array = self.printed(node.tensor, np.asarray(self.value(node.tensor)))
        assert array.ndim <= 2
        return array[:, None] if array.ndim == 1 else array

    def _subscript(self, node: t.Subscript) -> Array:
        return self.entries(self.value(node.tensor), self.places(node))

    def _partial(self, node: t.Partial) -> Array:
        assert isinstance(node.of, t.Subscript | t.Leaf)
        assert isinstance(node.by, t.Subscript | t.Leaf)
        array = self.truth.jacobian(node.of.tensor, node.by.tensor)
        return self.entries(array, (*self.places(node.of), *self.places(node.by)))

    def places(self, node: t.Subscript | t.Leaf) -> tuple[Array, ...]:
        """The positions of an entry in the order of the tensor's own axes."""
        if isinstance(node, t.Leaf):
            assert not node.tensor.dims
            return ()
        order = self.view.order(node.tensor)
        return tuple(self(node.indices[order.index(axis)]) for axis in range(len(order)))

    def entries(self, array: Array, places: tuple[Array, ...]) -> Array:
        """Entries, 0 beyond the ends and between whole numbers."""
        inside: Array = np.True_
        whole = []
        for place, size in zip(places, np.shape(array), strict=True):
            inside = inside & interpreter.whole_inside(np.asarray(place, float), size)
            whole.append(np.clip(np.rint(place), 0, size - 1).astype(int))
        return np.where(inside, array[tuple(np.broadcast_arrays(*whole))], 0.0) if places else array

    def _spread(self, node: t.Spread) -> Array:
        array = self(node.arg)
        return array if self.view.columns or np.ndim(array) == 0 else array.T

    def _alike(self, nodes: Any) -> list[Array]:
        arrays = [self(n) for n in nodes]
        if not self.scope:
            np.broadcast_shapes(*map(np.shape, arrays))
            full = [
                a for a, n in zip(arrays, nodes, strict=True) if not any(isinstance(k, t.Spread) for k in t.walk(n))
            ]
            assert len({np.shape(a) for a in full} - {()}) <= 1, nodes
        return arrays

    def _apply(self, node: t.Apply) -> Array:
        if node.function == "softmax":
            (arg,) = map(self, node.args)
            axis = 0 if self.view.columns or arg.shape[1] == 1 else 1
            return np.exp(arg) / np.exp(arg).sum(axis=axis, keepdims=True)
        if node.function in ("sum_0", "sum_1"):
            (arg,) = map(self, node.args)
            return arg.sum(axis=int(node.function[-1]))[:, None]
        return super()._apply(node)

    def _relation(self, node: t.Relation) -> Array:
        if node.sign == "mod":
            return self(node.left) % self(node.right)
        return super()._relation(node)

    def _running(self, node: t.Running) -> Array:
        assert not set(node.letters) & set(self.scope), "a bound letter hides another"
        ranges = {**self.ranges, **{c: self.range_of(c, node.body) for c in node.letters}}
        inner = StepTrees(self.truth, self.view, ranges)
        full = np.broadcast_to(inner(node.body), tuple(ranges.values()))
        last = full.reshape((*full.shape[: len(self.scope)], -1))
        return {"sum": np.sum, "max": np.max, "argmax": np.argmax}[node.kind](last, axis=-1)

    def range_of(self, letter: str, *nodes: t.Node) -> int:
        """The size of the axis that a letter stands on."""
        for n in (inner for node in nodes for inner in t.walk(node)):
            if isinstance(n, t.Subscript) and t.Letter(letter) in n.indices:
                return size_of(n.tensor.dims[self.view.order(n.tensor)[n.indices.index(t.Letter(letter))]])
        return WINDOW


def scale(tensor: Tensor, view: View) -> float:
    """How many times the derivative of the mean a derivative is in a view."""
    of_samples = any(d.size is None for d in tensor.dims)
    return float(BATCH) if view.scaled and of_samples else 1.0


def sides(formula: Formula, truth: Truth, view: View) -> tuple[Array, Array]:
    """What the left side of a formula is, by JAX, and what the right side says."""
    lhs = formula.lhs
    letters = [n.name for n in t.walk(lhs) if isinstance(n, t.Letter)]
    judge = StepTrees(truth, view)
    judge = StepTrees(truth, view, {c: judge.range_of(c, lhs, formula.rhs) for c in dict.fromkeys(letters)})
    shape = tuple(judge.ranges.values())
    got = judge(formula.rhs)
    if isinstance(lhs, t.Partial) and isinstance(lhs.of, t.Leaf) and lhs.of.tensor.dims:
        want, got = entrywise(lhs, truth, judge), np.asarray(got)
    elif isinstance(lhs, t.Through):
        want = part(lhs, truth, judge)
    else:
        want = judge(lhs)
    if not shape and view.profile.implicit:  # a column may stand for every sample here
        return np.asarray(want), np.broadcast_to(got, np.shape(want))
    if shape:
        return np.broadcast_to(want, shape), np.broadcast_to(got, shape)
    return np.asarray(want), np.broadcast_to(got, np.shape(want)) if np.ndim(got) == 0 else np.asarray(got)


def entrywise(lhs: t.Partial, truth: Truth, judge: StepTrees) -> Array:
    """The derivatives of entries by the entries at the same places; those by others have to be 0."""
    assert isinstance(lhs.of, t.Leaf)
    assert isinstance(lhs.by, t.Leaf)
    array = truth.jacobian(lhs.of.tensor, lhs.by.tensor)
    size = int(np.prod(array.shape[: len(lhs.of.tensor.dims)]))
    flat = array.reshape(size, size)
    assert not np.any(flat - np.diag(np.diag(flat)))
    made = judge.printed(lhs.of.tensor, np.diag(flat).reshape(np.shape(truth.values[lhs.of.tensor])))
    return made[:, None] if made.ndim == 1 else made


def part(lhs: t.Through, truth: Truth, judge: StepTrees) -> Array:
    """The part of a derivative that comes through one equation."""
    inner = lhs.derivative
    assert isinstance(inner, t.Subscript | t.Leaf)
    source = judge.view.source(inner.tensor)
    assert source is not None
    array = truth.through(int(lhs.number), source) * scale(inner.tensor, judge.view)
    if isinstance(inner, t.Subscript):
        return judge.entries(array, judge.places(inner))
    array = judge.printed(inner.tensor, array)
    return array[:, None] if array.ndim == 1 else array
