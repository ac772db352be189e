"""Wrong declarations: each is refused where it is made, with what was got, what was expected, and a cure."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import sympy

import symbackprop as sb
from symbackprop.errors import DeclarationError, DerivationError, ShapeError

n, j, k, m = sb.indices("n j k m")
MSE: dict[str, Any] = {"loss": "mse"}
Layer = Callable[[sb.Tensor], sb.Block]


def refuse(what: Callable[[], Any], kind: type[Exception], *words: str) -> None:
    """`what` raises `kind`, and the message has all the words."""
    with pytest.raises(kind) as caught:
        what()
    message = str(caught.value)
    missing = [word for word in words if word not in message]
    assert not missing, f"{message!r} lacks {missing}"


def network(*layers: Any, **options: Any) -> sb.Network:
    return sb.Network([sb.Input(3), *layers], **{**MSE, **options})


def derive(*layers: Any, **options: Any) -> Any:
    return network(*layers, **options).derive()


def equations(rhs: Callable[..., Any], dims: tuple[int, ...] = (4, 3)) -> Layer:
    """A layer z[n, j] = rhs(x, W) with W of shape `dims`."""

    def layer(x: sb.Tensor) -> sb.Block:
        W, z = sb.parameter("W", dims), sb.tensor("z", (x.dim(0), 4))
        return sb.layer(z, sb.equation(z[n, j], rhs(x, W)))

    return layer


SIZES: dict[str, tuple[Callable[[], Any], tuple[str, ...]]] = {
    "zero units": (lambda: sb.Dense(0), ("at least 1", "got 0")),
    "negative units": (lambda: sb.Dense(-3), ("at least 1", "got -3")),
    "half a unit": (lambda: sb.Dense(2.5), ("positive integer", "2.5")),
    "a bool": (lambda: sb.Dense(True), ("positive integer", "True")),
    "text": (lambda: sb.Dense("3"), ("positive integer", "'3'")),
    "an empty input": (lambda: sb.Input(0), ("at least 1", "got 0")),
    "an input without axes": (lambda: sb.Input(()), ("sb.Input(64)",)),
    "a negative axis": (lambda: sb.Input((3, -1)), ("at least 1", "got -1")),
    "an empty parameter": (lambda: sb.parameter("p", (0,)), ("at least 1", "got 0")),
}


@pytest.mark.parametrize("case", SIZES)
def test_sizes(case: str) -> None:
    what, words = SIZES[case]
    refuse(what, DeclarationError, *words)


def test_numpy_integers_are_sizes() -> None:
    assert derive(sb.Dense(np.int64(4))).forward[0].lhs.sizes == (None, 4)


def test_dense_on_what_has_no_last_axis() -> None:
    def rows(x: sb.Tensor) -> sb.Block:
        z = sb.tensor("z", (x.dim(0),))
        return sb.layer(z, sb.equation(z[n], sb.Sum(x[n, k], k)))

    refuse(lambda: derive(rows, sb.Dense(2)), ShapeError, "Dense(2)", "z is (N,)")


INDICES: dict[str, tuple[Layer, type[Exception], tuple[str, ...]]] = {
    "two sizes": (
        equations(lambda x, W: sb.Sum(W[j, k] * x[n, k], k), (4, 5)),
        ShapeError,
        ("index k", "W (4, 5)", "size 5", "x (N, 3)", "size 3"),
    ),
    "batch and size": (
        equations(lambda x, W: W[j, n] * x[n, 0]),
        ShapeError,
        ("index n", "W (4, 3)", "(N, 4)", "the batch"),
    ),
    "too many indices": (equations(lambda x, W: W[j, k, m]), ShapeError, ("W has 2 axes (4, 3)", "3 indices")),
    "too few indices": (equations(lambda x, W: W[j] * x[n, 0]), ShapeError, ("W has 2 axes (4, 3)", "1 indices")),
    "unbound": (
        equations(lambda x, W: W[j, k] * x[n, k]),
        DeclarationError,
        ("index k", "nothing binds it", "sb.Sum(..., k)"),
    ),
    "unbound beside its sum": (
        equations(lambda x, W: sb.Sum(W[j, k] * x[n, k], k) + x[n, k]),
        DeclarationError,
        ("index k", "nothing binds it"),
    ),
    "no index at all": (equations(lambda x, W: x), DeclarationError, ("x (N, 3)", "without indices")),
    "past the end": (equations(lambda x, W: W[j, 5] * x[n, 0]), ShapeError, ("W[j, 5]", "(4, 3)", "3 entries")),
    "before the start": (equations(lambda x, W: W[j, -1] * x[n, 0]), ShapeError, ("W[j, -1]", "(4, 3)", "3 entries")),
    "a sample's number": (
        equations(lambda x, W: W[j, 0] * x[0, 0] + x[n, 0]),
        ShapeError,
        ("x[0, 0]", "(N, 3)", "along the batch"),
    ),
    "shifted": (equations(lambda x, W: W[j, k + 1] * x[n, 0]), DeclarationError, ("k + 1",)),
    "a float": (equations(lambda x, W: W[j, 1.5] * x[n, 0]), ShapeError, ("1.5", "sb.indices")),
    "text as an index": (equations(lambda x, W: W[j, "k"] * x[n, 0]), ShapeError, ("'k'", "sb.indices")),
    "a sum over a number": (
        equations(lambda x, W: sb.Sum(W[j, 0] * x[n, 0], 3)),
        DeclarationError,
        ("sb.indices", "3"),
    ),
    "a sum over nothing": (equations(lambda x, W: sb.Sum(W[j, 0] * x[n, 0])), DeclarationError, ("sb.Sum(",)),
    "a sum without length": (
        equations(lambda x, W: sb.Sum(W[j, 0] * x[n, 0], k)),
        DeclarationError,
        ("sum over k", "no length"),
    ),
    "a free symbol": (
        equations(lambda x, W: W[j, 0] * x[n, 0] + sympy.Symbol("q")),
        DeclarationError,
        ("q is neither a tensor nor an index", "sb.parameter"),
    ),
    "text": (equations(lambda x, W: "W x"), DeclarationError, ("text was given", "'W x'")),
    "infinity": (equations(lambda x, W: W[j, 0] * x[n, 0] / 0), DeclarationError, ("not a real number",)),
    "an imaginary number": (equations(lambda x, W: sympy.I * x[n, 0]), DeclarationError, ("not a real number",)),
}


@pytest.mark.parametrize("case", INDICES)
def test_right_sides(case: str) -> None:
    layer, kind, words = INDICES[case]
    refuse(lambda: derive(layer), kind, *words)


def _square() -> sb.Tensor:
    return sb.tensor("q", (3, 3))


LEFT_SIDES: dict[str, tuple[Callable[[], Any], tuple[str, ...]]] = {
    "a number": (lambda: sb.equation(3, 4), ("left side", "z[n, j]")),
    "a tensor": (lambda: sb.equation(_square(), 4), ("left side", "q")),
    "an index twice": (lambda: sb.equation(_square()[j, j], 4), ("q[j, j]", "different index")),
    "a constant": (lambda: sb.equation(_square()[j, 0], 4), ("q[j, 0]", "different index")),
}


@pytest.mark.parametrize("case", LEFT_SIDES)
def test_left_sides(case: str) -> None:
    what, words = LEFT_SIDES[case]
    refuse(what, DeclarationError, *words)


def _returns(make: Callable[[sb.Tensor, sb.Tensor], Any]) -> Callable[[sb.Tensor], Any]:
    """A layer of the input x and a tensor z of x's shape."""
    return lambda x: make(x, sb.tensor("z", x.dims))


def _over_samples(x: sb.Tensor, z: sb.Tensor) -> sb.Block:
    return sb.layer(z, sb.equation(z[j], sb.Sum(x[n, j], n)))


LAYERS: dict[str, tuple[Any, tuple[str, ...]]] = {
    "an equation": (_returns(lambda x, z: sb.equation(z[n, j], x[n, j])), ("layer 2", "sb.layer(", "Equation")),
    "nothing": (lambda x: None, ("layer 2", "sb.layer(", "NoneType")),
    "no equation": (_returns(lambda x, z: sb.layer(z)), ("output z", "nothing")),
    "another output": (
        _returns(lambda x, z: sb.layer(x, sb.equation(z[n, j], x[n, j]))),
        ("output x", "they define: z"),
    ),
    "no tensor": (lambda x: sb.layer(3), ("output tensor first", "3")),
    "no equations": (_returns(lambda x, z: sb.layer(z, 3)), ("sb.equation", "int 3")),
    "defined twice": (
        _returns(lambda x, z: sb.layer(z, sb.equation(z[n, j], x[n, j]), sb.equation(z[n, j], 2 * x[n, j]))),
        ("z is defined twice",),
    ),
    "the input defined": (
        _returns(lambda x, z: sb.layer(z, sb.equation(x[n, j], 2 * x[n, j]), sb.equation(z[n, j], x[n, j]))),
        ("x",),
    ),
    "in terms of itself": (
        _returns(lambda x, z: sb.layer(z, sb.equation(z[n, j], z[n, j] + x[n, j]))),
        ("z", "before"),
    ),
    "used before": (
        _returns(lambda x, z: sb.layer(z, sb.equation(z[n, j], sb.tensor("u", x.dims)[n, j]))),
        ("u (N, 3)", "before an equation defines it"),
    ),
    "no batch axis": (
        lambda x: _over_samples(x, sb.tensor("z", (x.dim(1),))),
        ("(3,)", "batch axis"),
    ),
}


@pytest.mark.parametrize("case", LAYERS)
def test_layers(case: str) -> None:
    layer, words = LAYERS[case]
    refuse(lambda: derive(layer, sb.Activation("tanh")), DeclarationError, *words)


def test_a_parameter_of_the_batchs_size() -> None:
    refuse(lambda: derive(lambda x: sb.parameter("W", x.dims)), ShapeError, "parameter W", "axis 0", "batch")


UNKNOWN: dict[str, tuple[Callable[[], Any], tuple[str, ...]]] = {
    "activation": (lambda: sb.Dense(3, "rleu"), ("'rleu'", "Did you mean", "'relu'", "Known: elu, gaussian")),
    "activation layer": (lambda: sb.Activation("sofmax"), ("'sofmax'", "'softmax'")),
    "loss": (lambda: network(sb.Dense(1), loss="mes"), ("'mes'", "'mse'", "Known: binary_cross_entropy")),
    "loss, far off": (lambda: network(sb.Dense(1), loss="zzzz"), ("'zzzz'", "Known: binary_cross_entropy")),
    "reduction": (lambda: network(sb.Dense(1), reduction="avg"), ("'avg'", "batch_mean, mean, none, sum")),
    "optimizer": (lambda: sb.compile(network(sb.Dense(1)), optimizer="adm"), ("'adm'", "'adam'")),
    "option": (lambda: sb.Momentum(nu=0.5), ("Momentum", "'nu'", "Did you mean 'mu'", "eta, form, groups, mu")),
    "form": (lambda: sb.Momentum(form="velocty"), ("'velocty'", "'velocity'")),
    "target": (lambda: sb.compile(network(sb.Dense(1)), target="nump"), ("'nump'", "'numpy'")),
    "dtype": (lambda: sb.compile(network(sb.Dense(1)), dtype="float16"), ("'float16'", "float32")),
}


@pytest.mark.parametrize("case", UNKNOWN)
def test_unknown_names(case: str) -> None:
    what, words = UNKNOWN[case]
    refuse(what, DeclarationError, *words)


WRONG_KINDS: dict[str, tuple[Callable[[], Any], tuple[str, ...]]] = {
    "activation": (lambda: sb.Dense(3, 7), ("activation", "int 7")),
    "no activation": (lambda: sb.Activation(None), ('sb.Activation("relu")',)),
    "loss": (lambda: network(sb.Dense(1), loss=3), ("loss", "3")),
    "no loss": (lambda: sb.Network([sb.Input(3), sb.Dense(1)]), ('loss="mse"',)),
    "optimizer": (lambda: sb.compile(network(sb.Dense(1)), optimizer=3), ("optimizer", "int 3")),
    "too many numbers": (lambda: sb.Adam(1, 2, 3, 4, 5), ("at most 4", "got 5")),
    "not a number": (lambda: sb.Adam(math.nan), ("eta", "finite", "nan")),
    "given twice": (lambda: sb.Adam(0.1, eta=0.2), ("eta", "twice")),
    "regularizer": (lambda: network(sb.Dense(1), regularizers=["l2"]), ("sb.L1, sb.L2", "'l2'")),
    "negative strength": (lambda: network(sb.Dense(1), regularizers=[sb.L2(-1)]), ("lam", ">= 0", "-1")),
    "infinite strength": (lambda: network(sb.Dense(1), weight_decay=math.inf), ("weight_decay", "finite")),
    "no network": (lambda: sb.compile([sb.Input(3)]), ("sb.Network", "list")),
    "no input": (lambda: sb.Network([sb.Dense(3)], **MSE), ("sb.Input", "Dense(width=3")),
    "nothing": (lambda: sb.Network([], **MSE), ("sb.Input", "nothing")),
    "an input alone": (lambda: sb.Network([sb.Input(3)], **MSE), ("at least one layer",)),
    "two inputs": (lambda: network(sb.Input(3)), ("layer 2 is an Input",)),
    "a class": (lambda: network(sb.Dense), ("layer 2", "sb.Dense(...)")),
    "a number as a layer": (lambda: network(5), ("layer 2 is 5",)),
    "next of a number": (lambda: sb.next(3), ("sb.next(v)", "3")),
}


@pytest.mark.parametrize("case", WRONG_KINDS)
def test_wrong_kinds(case: str) -> None:
    what, words = WRONG_KINDS[case]
    refuse(what, DeclarationError, *words)


FORMULAS: dict[str, tuple[dict[str, Any], type[Exception], tuple[str, ...]]] = {
    "NumPy": ({"activation": np.tanh}, DeclarationError, ("sb.exp", "NumPy")),
    "math": ({"activation": math.tanh}, DeclarationError, ("sb.exp", "math")),
    "if": ({"activation": lambda z: z if z > 0 else 0}, DeclarationError, ("sb.where", "if")),
    "two symbols": ({"activation": sympy.Symbol("a") * sympy.Symbol("b")}, DeclarationError, ("one symbol", "a, b")),
    "no symbol": ({"activation": sympy.Integer(3)}, DeclarationError, ("one symbol", "none")),
    "None": ({"activation": lambda z: None}, DeclarationError, ("expression was expected", "None")),
    "text": ({"activation": lambda z: "z + 1"}, DeclarationError, ("text was given", "'z + 1'")),
    "two arguments": ({"activation": lambda z, w: z}, DeclarationError, ("activation", "'w'")),
    "a symbol from outside": ({"activation": lambda z: z + sympy.Symbol("c")}, DeclarationError, ("c is neither",)),
    "gamma": ({"activation": sympy.gamma}, DerivationError, ("gamma", "cannot be differentiated", "tanh")),
    "an unknown function": (
        {"activation": sympy.Function("f")},
        DerivationError,
        ("f(z1[n, j])", "cannot be differentiated"),
    ),
    "loss of one": ({"loss": lambda p: p}, DeclarationError, ("loss", "argument")),
    "loss in other symbols": (
        {"loss": sympy.Symbol("p") - sympy.Symbol("t")},
        DeclarationError,
        ("prediction, target", "p, t"),
    ),
    "loss with zeta": ({"loss": lambda p, t: sympy.zeta(p) * t}, DerivationError, ("zeta", "cannot be differentiated")),
}


@pytest.mark.parametrize("case", FORMULAS)
def test_formulas(case: str) -> None:
    options, kind, words = FORMULAS[case]
    activation = options.get("activation")
    loss = options.get("loss", "mse")
    refuse(lambda: derive(sb.Dense(2, activation), loss=loss), kind, *words)


def test_two_squashes() -> None:
    layers = [sb.Dense(3, "softmax")]
    refuse(lambda: derive(*layers, loss="softmax_cross_entropy"), DeclarationError, "logits", "softmax", "drop")


def test_nothing_to_train() -> None:
    layer = _returns(lambda x, z: sb.layer(z, sb.equation(z[n, j], 2 * x[n, j])))
    refuse(lambda: sb.compile(network(layer), target="numpy"), DeclarationError, "no parameters")


def named(name: str) -> Layer:
    """The layer z[n, j] = theta[j]*x[n, j] with a parameter of this name."""
    return _returns(lambda x, z: sb.layer(z, sb.equation(z[n, j], sb.parameter(name, (3,))[j] * x[n, j])))


@pytest.mark.parametrize("name", ["x", "y", "z", "W1", "lam"])
def test_a_name_used_twice(name: str) -> None:
    refuse(
        lambda: derive(named(name), sb.Dense(2), weight_decay=0.1), DeclarationError, f"the name {name} is used twice"
    )


def test_the_same_layer_twice() -> None:
    layer = named("A")
    refuse(lambda: derive(layer, layer), DeclarationError, "is used twice", "(3,)")


@pytest.mark.parametrize("name", ["L", "N", "t", "theta", "g"])
def test_reserved_names(name: str) -> None:
    refuse(lambda: derive(named(name)), DeclarationError, f"the name {name} is reserved")


@pytest.mark.parametrize("name", ["a b", "lambda", "_z", "1a", "", 3, "W-1"])
def test_names(name: Any) -> None:
    refuse(lambda: sb.parameter(name, (3,)), DeclarationError, repr(name), "cannot name")


WORDS = """
int double real float long register restrict inline asm for_ while_ main printf exp log expf tanh pow sqrt abs fabs sign
erf floor np len range float64 where sum max min prod einsum numpy array type print predict loss gradients update trace
self params grads hyper arena data order batch rows step scratch out order_epoch i j k n m acc tile panel i0 i1 c0 t1
part1 part2 top1 top2 sum1 sum2 share1 tmp tmp1 temp1 delta1 dW1 dz1 delta_a1 a2 p1 p_ NAN INFINITY M_PI NULL size_t
int64_t uint64_t y0 y1 j0 jn gamma signal errno stdin theta_new UPDATE_SCALARS N_ L_ unix linux sbp_run vec gemm eta
"""
CODE_WORDS = WORDS.split()


def test_names_do_not_matter(target: str) -> None:
    """Tensors called as the generated code calls things of its own give the numbers that plain names give."""

    def gated(names: list[str]) -> Layer:
        def layer(x: sb.Tensor) -> sb.Block:
            z = sb.tensor("gated", x.dims)
            weights = [sb.parameter(name, (3,)) for name in names]
            return sb.layer(z, sb.equation(z[n, j], sum(w[j] * x[n, j] for w in weights)))

        return layer

    rng = np.random.default_rng(0)
    values = {name: rng.normal(size=3) for name in CODE_WORDS}
    X, y = rng.normal(size=(2, 3)), np.array([0, 2])
    made = []
    for prefix in ("", "plain_"):
        layers = [gated([prefix + name for name in CODE_WORDS]), sb.Dense(3, "softplus"), sb.Dense(3)]
        net = network(*layers, loss="softmax_cross_entropy", weight_decay=0.1)
        model = sb.compile(net, target=target, dtype="float64", optimizer=sb.Adam())
        model.parameters.update({prefix + name: value for name, value in values.items()})
        model.fit(X, y, batch_size=2, verbose=False)
        made.append([model.predict(X), *(model.gradients(X, y)[prefix + name] for name in CODE_WORDS)])
    for odd, plain in zip(*made, strict=True):
        np.testing.assert_allclose(odd, plain, rtol=1e-12, atol=1e-14)


def optimizer(update: Callable[..., Any], **hypers: float) -> sb.Optimizer:
    members = {name: sb.hyper(name, value) for name, value in hypers.items()}
    kind: type[sb.Optimizer] = type("Mine", (sb.Optimizer,), {**members, "update": update})
    return kind()


def _cycle(self: Any, theta: Any, g: Any) -> Any:
    v, w = self.state("v", like=theta), self.state("w", like=theta)
    return {v: sb.next(w), w: sb.next(v), theta: theta - g}


def _unset(self: Any, theta: Any, g: Any) -> Any:
    self.state("v", like=theta)
    return {theta: theta - g}


def _twice(self: Any, theta: Any, g: Any) -> Any:
    return {self.state("v", like=theta): g, self.state("v", like=theta): g, theta: theta}


OPTIMIZERS: dict[str, tuple[Callable[[], sb.Optimizer], tuple[str, ...]]] = {
    "assigns to the gradient": (lambda: optimizer(lambda self, theta, g: {g: theta}), ("assigns to g", "theta")),
    "no dict": (lambda: optimizer(lambda self, theta, g: theta - g), ("must return a dict",)),
    "next in a circle": (lambda: optimizer(_cycle), ("v, w", "need each other")),
    "a state without a value": (lambda: optimizer(_unset), ("no new value for v",)),
    "a state twice": (lambda: optimizer(_twice), ("'v'", "twice")),
    "a free symbol": (
        lambda: optimizer(lambda self, theta, g: {theta: theta - sympy.Symbol("q") * g}),
        ("q", "sb.hyper"),
    ),
    "no update": (sb.Optimizer, ("does not define update",)),
    "a name of a regularizer": (
        lambda: optimizer(lambda self, theta, g: {theta: theta - self.lam * g}, lam=0.1),
        ("hyper-parameter named lam", "rename"),
    ),
}


@pytest.mark.parametrize("case", OPTIMIZERS)
def test_optimizers(case: str) -> None:
    make, words = OPTIMIZERS[case]
    net = network(sb.Dense(2), weight_decay=0.1)
    refuse(lambda: sb.compile(net, target="numpy", optimizer=make()), DeclarationError, *words)


def test_state_and_step_belong_inside_update() -> None:
    refuse(lambda: sb.SGD().state("v", like=None), DeclarationError, "inside update")
    refuse(lambda: sb.SGD().t, DeclarationError, "inside update")


@pytest.mark.parametrize("name", ["a b", "class", 3])
def test_names_of_indices_and_hypers(name: Any) -> None:
    refuse(lambda: sb.hyper(name, 0.1), DeclarationError, repr(name))
    if isinstance(name, str):
        refuse(lambda: sb.indices(name.replace(" ", "-")), DeclarationError, "cannot name")
