"""Random equation layers: nested sums, quotients, products of sums, shared tensors, diagonals, constant indices."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

from tests.calculus.trees import (
    AWAY_FROM_ZERO,
    FUNCTIONS,
    Add,
    Call,
    Div,
    Entry,
    Equation,
    Mul,
    Number,
    System,
    Total,
    Tree,
)

LETTERS = {"n": "N", "j": "P", "k": "P", "m": "Q", "r": "Q"}
"""Letters and their dimensions: two letters of one dimension make transposes and diagonals possible."""
OUTPUTS = (("n", "j"), ("n", "m"), ("n", "j", "m"))
RESULTS = (*OUTPUTS, ("n",), ("j", "k"), ("m", "j"), ())
"""Letters on left sides: of the last equation, and of one before it."""
NAMES = "ABCDEFGHKMPQRSTUVWYZ"


class Maker:
    """Draws one system of equations; every draw comes from `draw`, so that a run can be repeated."""

    def __init__(self, draw: random.Random) -> None:
        self.draw = draw
        self.sizes: dict[str, int | None] = {"N": None, "P": draw.randint(1, 5), "Q": draw.randint(2, 4)}
        self.shapes: dict[str, tuple[str, ...]] = {"x": draw.choice([("N", "P"), ("N", "Q"), ("N", "P", "Q")])}
        self.parameters: list[str] = []
        self.letters: list[str] = []

    def parameter(self, dims: tuple[str, ...]) -> str:
        """A parameter of these dimensions: an old one half of the time."""
        old = [p for p in self.parameters if self.shapes[p] == dims]
        if old and self.draw.random() < 0.5:
            return self.draw.choice(old)
        name = NAMES[len(self.parameters)]
        self.shapes[name] = dims
        self.parameters.append(name)
        return name

    def weight(self, scope: list[str], order: int | None = None) -> Entry:
        """An entry of a parameter on letters in scope, a letter perhaps twice, an axis perhaps at a constant."""
        order = self.draw.choice([0, 1, 1, 2, 2, 2, 2, 3]) if order is None else order
        inner = [i for i in scope if i != "n"]
        dims = tuple(LETTERS[self.draw.choice(inner)] if inner else self.draw.choice("PQ") for _ in range(order))
        return self.entry(self.parameter(dims), scope)

    def entry(self, name: str, scope: list[str]) -> Entry:
        """An entry of a tensor: on every axis a letter in scope, or else a constant."""
        indices: list[str | int] = []
        for dim in self.shapes[name]:
            fit = [i for i in scope if LETTERS[i] == dim]
            size = self.sizes[dim]
            if size is not None and (not fit or self.draw.random() < 0.1):
                indices.append(self.draw.randrange(size))
            else:
                fresh = [i for i in fit if i not in indices]
                indices.append(self.draw.choice(fresh if fresh and self.draw.random() < 0.8 else fit))
        return Entry(name, tuple(indices))

    def value(self, scope: list[str]) -> Entry:
        """An entry of the input or of an earlier result."""
        earlier = [t for t in self.shapes if t not in self.parameters and t in self.known]
        possible = [t for t in earlier if "N" not in self.shapes[t] or "n" in scope]
        return self.entry(self.draw.choice(possible), scope) if possible else self.weight(scope)

    known: tuple[str, ...] = ("x",)

    def product(self, scope: list[str]) -> Tree:
        """A parameter times a value."""
        return Mul((self.weight(scope), self.value(scope)))

    def bound(self, scope: list[str], body: Callable[[list[str]], Tree]) -> Total:
        """A sum over one more letter, now and then over one that is used outside too."""
        outside = [i for i in self.letters if i not in scope]
        hidden = [i for i in scope if i != "n"] or [i for i in self.letters if i != "n"]
        over = self.draw.choice(outside if outside and self.draw.random() < 0.85 else hidden)
        return self.total(body([*scope, over] if over not in scope else scope), over)

    def total(self, body: Tree, over: str) -> Total:
        """The sum of a body, which gets a positive factor with the index where it has none: a sum needs a length."""
        if over not in letters_of(body):
            name = "x" if over == "n" else self.parameter((LETTERS[over],))
            factor = Entry(name, (over, *[0] * (len(self.shapes[name]) - 1)))
            body = Mul((body, Call("root", factor)))
        return Total(body, over)

    def tree(self, scope: list[str], depth: int) -> Tree:
        """Any expression."""
        kind = self.draw.choice(
            ["leaf", "product", "add", "mul", "div", "call", "sum"] if depth else ["leaf", "product"]
        )
        again = depth - 1
        if kind == "leaf":
            return self.draw.choice([self.weight(scope), self.value(scope), Number(self.draw.choice([2, -1, 0.5, 3]))])
        if kind == "product":
            return self.product(scope)
        if kind == "add":
            return Add((self.tree(scope, again), self.product(scope)))
        if kind == "mul":
            return Mul((self.tree(scope, again), self.tree(scope, again)))
        if kind == "div":
            return Div(self.tree(scope, again), self.denominator(self.tree(scope, again)))
        if kind == "call":
            return Call(self.draw.choice(FUNCTIONS), self.tree(scope, again))
        return self.bound(scope, lambda s: Mul((self.tree(s, again), self.weight(s))))

    def denominator(self, tree: Tree) -> Tree:
        """A positive function of an expression."""
        return Call(self.draw.choice(AWAY_FROM_ZERO), tree)

    def choose_letters(self, output: tuple[str, ...]) -> None:
        """Two to four letters, those of the output among them."""
        others = [i for i in LETTERS if i not in output]
        self.draw.shuffle(others)
        self.letters = [*output, *others[: max(1, self.draw.randint(2, 4) - len(output))]]

    def equation(self, lhs: str, indices: tuple[str, ...], term: Callable[[Maker, list[str]], Tree] | None) -> Equation:
        """One equation that contains the term."""
        self.choose_letters(indices)
        scope = list(indices)
        terms = [self.bound(scope, self.product), self.tree(scope, 2)]
        if term is not None:
            terms.insert(0, term(self, scope))
        self.draw.shuffle(terms)
        self.shapes[lhs] = tuple(LETTERS[i] for i in indices)
        self.known = (*self.known, lhs)
        return Equation(lhs, indices, Add(tuple(terms)), tuple((i, LETTERS[i]) for i in LETTERS))

    def system(self, feature: str) -> System:
        """Equations that show one feature, whatever else they hold."""
        term = FEATURES[feature]
        chain = feature == "two equations" or self.draw.random() < 0.2
        made = [self.equation("u", self.draw.choice(RESULTS), None)] if chain else []
        made.append(self.equation("v", self.draw.choice(OUTPUTS), term))
        if "u" not in tensors_of(made[-1].rhs):
            made = made[-1:]  # an equation that nothing uses is refused
        if not any("x" in tensors_of(eq.rhs) for eq in made):  # and so is an input that nothing uses
            last = made[-1]
            made[-1] = replace(last, rhs=Add((last.rhs, self.entry("x", list(last.indices)))))
        used = set().union(*(tensors_of(eq.rhs) for eq in made))
        parameters = tuple(p for p in self.parameters if p in used)
        return System(tuple(made), tuple(self.sizes.items()), tuple(self.shapes.items()), parameters)


def letters_of(tree: Tree) -> set[str]:
    """The letters that a tree depends on."""
    match tree:
        case Number():
            return set()
        case Entry(_, indices):
            return {i for i in indices if isinstance(i, str)}
        case Total(body, over):
            return letters_of(body) - {over}
        case Add(parts) | Mul(parts):
            return set().union(*map(letters_of, parts))
        case Div(top, bottom):
            return letters_of(top) | letters_of(bottom)
        case Call(_, argument):
            return letters_of(argument)
    raise AssertionError(tree)


def tensors_of(tree: Tree) -> set[str]:
    """The tensors in a tree."""
    match tree:
        case Entry(name, _):
            return {name}
        case Add(parts) | Mul(parts):
            return set().union(*map(tensors_of, parts))
        case Div(top, bottom):
            return tensors_of(top) | tensors_of(bottom)
        case Call(_, inner) | Total(inner, _):
            return tensors_of(inner)
    return set()


def _nested(m: Maker, s: list[str]) -> Tree:
    inner = lambda t: m.bound(t, lambda w: Mul((m.weight(w), m.value(w))))  # noqa: E731
    return m.bound(s, lambda t: Mul((m.weight(t), Call(m.draw.choice(FUNCTIONS), inner(t)))))


def _quotient(m: Maker, s: list[str]) -> Tree:
    return Div(m.bound(s, m.product), Add((Number(1), m.bound(s, lambda t: m.denominator(m.product(t))))))


def _product_of_sums(m: Maker, s: list[str]) -> Tree:
    return Mul((m.bound(s, m.product), m.bound(s, m.product)))


def _function_of_a_sum(m: Maker, s: list[str]) -> Tree:
    return Call(m.draw.choice(FUNCTIONS), m.bound(s, m.product))


def _sum_of_functions(m: Maker, s: list[str]) -> Tree:
    return m.bound(s, lambda t: Call(m.draw.choice(FUNCTIONS), m.product(t)))


def _diagonal(m: Maker, s: list[str]) -> Tree:
    letter = m.draw.choice([i for i in s if i != "n"])
    square = m.parameter((LETTERS[letter],) * 2)
    trace = m.bound(s, m.product)
    entry = Entry(square, (letter, letter))
    return Add((Mul((entry, trace)), Total(entry, letter)))


def _constant_index(m: Maker, s: list[str]) -> Tree:
    letter = m.draw.choice([i for i in s if i != "n"])
    size = m.sizes["Q"]
    assert size is not None
    name = m.parameter((LETTERS[letter], "Q"))
    return Mul((Entry(name, (letter, 0)), Call("tanh", Entry(name, (letter, size - 1))), m.value(s)))


def _shared(m: Maker, s: list[str]) -> Tree:
    name = m.parameter(("P", "P"))
    m.letters = [*dict.fromkeys([*m.letters, "j", "k"])]
    body = Mul(
        (Entry(name, ("j", "k")), Call("tanh", Entry(name, ("k", "j"))), m.value([*dict.fromkeys([*s, "k", "j"])]))
    )
    return m.total(m.total(body, "j"), "k") if "j" not in s else m.total(body, "k")


def _order_three(m: Maker, s: list[str]) -> Tree:
    return m.bound(s, lambda t: m.bound(t, lambda w: Mul((m.weight(w, 3), m.value(w)))))


def _over_samples(m: Maker, s: list[str]) -> Tree:
    mean = m.total(Mul((m.weight(s), Entry("x", m.entry("x", s).indices))), "n")
    return Mul((m.weight(s), Call(m.draw.choice(FUNCTIONS), mean)))


def _hidden(m: Maker, s: list[str]) -> Tree:
    letter = m.draw.choice([i for i in s if i != "n"])
    return Mul((m.product(s), m.total(Call(m.draw.choice(FUNCTIONS), m.product(s)), letter)))


FEATURES: dict[str, Callable[[Maker, list[str]], Tree] | None] = {
    "nested sums": _nested,
    "quotient": _quotient,
    "product of sums": _product_of_sums,
    "function of a sum": _function_of_a_sum,
    "sum of functions": _sum_of_functions,
    "diagonal": _diagonal,
    "constant index": _constant_index,
    "shared tensor": _shared,
    "order three": _order_three,
    "sum over samples": _over_samples,
    "hidden index": _hidden,
    "two equations": None,
}
