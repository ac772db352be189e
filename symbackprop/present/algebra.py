"""Constructors of matrix nodes: they flatten, order, and choose the form with the fewest transposes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction

from .tree import (
    Add,
    Apply,
    Bracket,
    Cases,
    Constant,
    Divide,
    Hadamard,
    Leaf,
    Logic,
    Node,
    Norm,
    Number,
    Ones,
    Power,
    Product,
    Relation,
    Scale,
    Size,
    Total,
    Trace,
    Transpose,
    is_spread,
    label,
    transposes,
    walk,
)

ROWWISE = ("softmax", "rowsum", "sum_0", "sum_1", "diag")


def is_scalar(node: Node) -> bool:
    """Whether a node is a scalar, to be spread over the entries of what it is added to or multiplied by."""
    if isinstance(node, (Number, Constant, Size, Total, Trace, Norm)):
        return True
    if isinstance(node, Leaf):
        return not node.tensor.dims
    if isinstance(node, (Ones, Transpose, Product)) or (isinstance(node, Apply) and node.function in ROWWISE):
        return False
    return all(map(is_scalar, node.kids()))


def transpose(node: Node) -> Node:
    """The transpose, written with as few transposes as can be: (A B^T)^T = B A^T."""
    if isinstance(node, Transpose):
        return node.arg
    if is_scalar(node):
        return node
    inside = pushed(node)
    if inside is None:
        return Transpose(node)
    if isinstance(node, Scale):
        return inside
    outside = Transpose(node)
    if isinstance(node, Product):
        return inside if transposes(inside)[0] <= transposes(outside)[0] else outside
    return min(outside, inside, key=transposes)


def settle(node: Node) -> Node:
    """An elementwise node, written as a transpose where that saves transposes: A^T * B^T = (A * B)^T."""
    inside = pushed(node)
    return node if inside is None else min(node, Transpose(inside), key=transposes)


def pushed(node: Node) -> Node | None:
    """The transpose handed on to the node's parts; None where that is no identity."""
    if isinstance(node, Product):
        return Product(tuple(transpose(a) for a in reversed(node.args)))
    if isinstance(node, Apply) and node.function in ROWWISE:
        return None
    if isinstance(node, (Hadamard, Divide, Add, Scale, Power, Apply, Relation, Logic, Bracket, Cases)):
        return _elementwise(node, transpose)
    return None


def _elementwise(node: Node, f: Callable[[Node], Node]) -> Node:
    match node:
        case Hadamard(args):
            return Hadamard(tuple(map(f, args)))
        case Divide(left, right):
            return Divide(f(left), f(right))
        case Add(terms):
            return Add(tuple((sign, f(t)) for sign, t in terms))
        case Scale(numerator, denominator, core):
            return Scale(numerator, denominator, None if core is None else f(core))
        case Power(base, exponent, elementwise):
            return Power(f(base), exponent, elementwise)
        case Apply(function, args):
            return Apply(function, tuple(map(f, args)))
        case Relation(sign, left, right):
            return Relation(sign, f(left), f(right))
        case Logic(word, args):
            return Logic(word, tuple(map(f, args)))
        case Bracket(condition):
            return Bracket(f(condition))
        case Cases(branches, otherwise):
            return Cases(tuple((f(v), f(c)) for v, c in branches), None if otherwise is None else f(otherwise))
    raise AssertionError(node)


def product(*args: Node) -> Node:
    """A matrix product: nested ones joined, and neighbors X^T Y^T written as (Y X)^T."""
    flat: list[Node] = []
    for a in args:
        flat += a.args if isinstance(a, Product) else (a,)
    joined: list[Node] = []
    while flat:
        run = 0
        while run < len(flat) and isinstance(flat[run], Transpose):
            run += 1
        if run > 1:
            joined.append(Transpose(product(*(transpose(a) for a in reversed(flat[:run])))))
        else:
            run = 1
            joined.append(flat[0])
        flat = flat[run:]
    return joined[0] if len(joined) == 1 else Product(tuple(joined))


def hadamard(args: Iterable[Node]) -> Node:
    """An elementwise product in the order in which people write it; a repeated sum becomes an elementwise power."""
    counts: dict[Node, int] = {}
    for a in args:
        for part in a.args if isinstance(a, Hadamard) else (a,):
            counts[part] = counts.get(part, 0) + 1
    flat: list[Node] = []
    for part, count in counts.items():
        inner = part.arg if isinstance(part, Transpose) else part
        if count == 1 or (count == 2 and isinstance(inner, Leaf)):
            flat += [part] * count
        else:
            power = Power(inner, Number(Fraction(count)), elementwise=True)
            flat.append(power if inner is part else transpose(power))
    flat.sort(key=factor_order)
    return flat[0] if len(flat) == 1 else settle(Hadamard(tuple(flat)))


def factor_order(node: Node) -> tuple[int, int, str]:
    """Where a factor stands: what comes from upstream first, then products, tensors, sums, functions, brackets."""
    if is_spread(node):
        return 2, 3, label(node)
    kinds = {n.tensor.kind for n in walk(node) if isinstance(n, Leaf)}
    upstream = 0 if kinds & {"adjoint", "gradient"} else 1 if "target" in kinds else 2
    inner = node.arg if isinstance(node, Transpose) else node
    ranks = {Product: 0, Leaf: 1, Add: 2, Power: 4, Apply: 5, Bracket: 6, Cases: 7}
    rank = ranks.get(type(inner), 8)
    return upstream, rank, label(node)


def row_sums(node: Node, dim: Ones) -> Node:
    """The column of sums over the second axis: rowsum(A), and A^T 1 where the first axis of a tensor is summed."""
    if isinstance(node, Transpose) or (isinstance(node, Product) and isinstance(node.args[-1], Transpose)):
        return product(node, dim)
    if isinstance(node, Product):
        return product(*node.args[:-1], row_sums(node.args[-1], dim))
    return Apply("rowsum", (node,))


def total(node: Node) -> Node:
    """The sum of all entries: a norm for squares and absolute values, else 1^T A v or a plain total."""
    node = node.arg if isinstance(node, Transpose) else node
    if isinstance(node, Hadamard) and len(node.args) == 2 and node.args[0] == node.args[1]:
        return Norm(node.args[0], 2)
    if isinstance(node, Power) and node.exponent == Number(Fraction(2)):
        return Norm(node.base, 2)
    if isinstance(node, Apply) and node.function == "abs":
        return Norm(node.args[0], 1)
    if isinstance(node, Apply) and node.function == "rowsum":
        return Total(node.args[0])
    if isinstance(node, Product) and isinstance(node.args[-1], Ones):
        return total(product(*node.args[:-1]))
    return Total(node)
