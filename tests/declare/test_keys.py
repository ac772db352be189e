"""Cache keys: networks whose generated code may differ have different keys; keys of our own blocks need no SymPy."""

from __future__ import annotations

import itertools
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

import symbackprop as sb

n, j, k = sb.indices("n j k")
Make = Callable[[], sb.Network]


def row(*layers: Any, **options: Any) -> Make:
    """Layers in a row; those of a list are made anew for every network."""
    return lambda: sb.Network([sb.Input(4), *layers], **{"loss": "mse", **options})


def joined(build: Callable[[sb.Input, sb.Input], Any], **options: Any) -> Make:
    """A graph of two inputs."""

    def make() -> sb.Network:
        a, b = sb.Input(4, "a"), sb.Input(4, "b")
        return sb.Network(inputs=(a, b), outputs=build(a, b), **{"loss": "mse", **options})

    return make


def shared(a: sb.Input, b: sb.Input) -> Any:
    layer = sb.Dense(4, "tanh")
    return sb.layers.Add()(layer(a), layer(b))


def apart(a: sb.Input, b: sb.Input) -> Any:
    return sb.layers.Add()(sb.Dense(4, "tanh")(a), sb.Dense(4, "tanh")(b))


def tied(one: bool) -> Callable[[sb.Input, sb.Input], Any]:
    def build(a: sb.Input, b: sb.Input) -> Any:
        first, second = sb.Dense(4), sb.Dense(4)
        return sb.layers.Tied(first if one else second)(second(first(a)) + b)

    return build


def regularized(same: bool) -> Make:
    one, two = sb.L2(0.1), sb.L2(0.1)
    return row(sb.Dense(4, weight_regularizer=one), sb.Dense(4, weight_regularizer=one if same else two))


def tasks(**options: Any) -> Make:
    def make() -> sb.Network:
        x = sb.Input(4)
        h = sb.Dense(4)(x)
        return sb.Network(inputs=x, outputs={"u": h, "v": sb.Dense(4)(h)}, **options)

    return make


NETWORKS: dict[str, Make] = {
    "plain": row(sb.Dense(4)),
    "wider": row(sb.Dense(5)),
    "relu": row(sb.Dense(4, "relu")),
    "tanh": row(sb.Dense(4, "tanh")),
    "identity layer": row(sb.Dense(4), sb.Activation("identity")),
    "leaky 0.1": row(sb.Dense(4, sb.activations.leaky_relu(slope=0.1))),
    "leaky 0.2": row(sb.Dense(4, sb.activations.leaky_relu(slope=0.2))),
    "no bias": row(sb.Dense(4, bias=False)),
    "init": row(sb.Dense(4, init=sb.init.normal(0, 1))),
    "init 2": row(sb.Dense(4, init=sb.init.normal(0, 2))),
    "bias init": row(sb.Dense(4, bias_init=sb.init.normal(0, 1))),
    "not trainable": row(sb.Dense(4, trainable=False), sb.Dense(4)),
    "trainable": row(sb.Dense(4), sb.Dense(4)),
    "frozen": row(sb.Dense(4), sb.Dense(4), frozen="W1"),
    "frozen too": row(sb.Dense(4), sb.Dense(4), frozen="b1"),
    "frozen both": row(sb.Dense(4), sb.Dense(4), frozen=("W1", "b1")),
    "loss": row(sb.Dense(4), loss="mae"),
    "huber": row(sb.Dense(4), loss=sb.losses.huber(1.0)),
    "huber 2": row(sb.Dense(4), loss=sb.losses.huber(2.0)),
    "reduction": row(sb.Dense(4), reduction="sum"),
    "decay": row(sb.Dense(4), weight_decay=0.1),
    "L1": row(sb.Dense(4), regularizers=[sb.L1(0.1)]),
    "L2 not half": row(sb.Dense(4), regularizers=[sb.L2(0.1, half=False)]),
    "L2 with biases": row(sb.Dense(4), regularizers=[sb.L2(0.1, biases=True)]),
    "L2 on the layer": row(sb.Dense(4, weight_regularizer=sb.L2(0.1))),
    "L2 on the bias": row(sb.Dense(4, bias_regularizer=sb.L2(0.1))),
    "one strength": regularized(True),
    "two strengths": regularized(False),
    "sample weights": row(sb.Dense(4), sample_weights=True),
    "weighted": row(sb.Dense(4), loss_weights=1.0),
    "dropout": row(sb.Dense(4), sb.layers.Dropout()),
    "dropout, other scaling": row(sb.Dense(4), sb.layers.Dropout(scaling="at_inference")),
    "batch norm": row(sb.Dense(4), sb.layers.BatchNorm1d()),
    "batch norm, momentum": row(sb.Dense(4), sb.layers.BatchNorm1d(momentum=0.2)),
    "batch norm, eps": row(sb.Dense(4), sb.layers.BatchNorm1d(eps=1e-6)),
    "levels": lambda: sb.Network([sb.Input(4, levels=7), sb.layers.Embedding(9, 2)], loss="mse"),
    "levels 2": lambda: sb.Network([sb.Input(4, levels=8), sb.layers.Embedding(9, 2)], loss="mse"),
    "a + b": joined(lambda a, b: sb.Dense(4)(a + b)),
    "b + a": joined(lambda a, b: sb.Dense(4)(b + a)),
    "a - b": joined(lambda a, b: sb.Dense(4)(a - b)),
    "a * b": joined(lambda a, b: sb.Dense(4)(a * b)),
    "joined": joined(lambda a, b: sb.Dense(4)(sb.layers.Concatenate()(a, b))),
    "named": joined(lambda a, b: sb.Dense(4)(a + b, name="out")),
    "skip a": joined(lambda a, b: sb.Dense(4)(a + b) + a),
    "skip b": joined(lambda a, b: sb.Dense(4)(a + b) + b),
    "stopped": joined(lambda a, b: sb.Dense(4)(sb.layers.StopGradient()(a + b))),
    "shared": joined(shared),
    "apart": joined(apart),
    "tied to the first": joined(tied(True)),
    "tied to the second": joined(tied(False)),
    "order of outputs": joined(lambda a, b: tuple(reversed([sb.Dense(4)(a), sb.Dense(4)(b)])), loss=("mse", "mse")),
    "outputs": joined(lambda a, b: (sb.Dense(4)(a), sb.Dense(4)(b)), loss=("mse", "mse")),
    "tasks": tasks(loss=("mse", "mae")),
    "tasks, turned": tasks(loss=("mae", "mse")),
    "tasks, one loss": tasks(loss={"v": "mse"}),
    "tasks, two outputs' loss": tasks(loss="gaussian_nll"),
    "tasks, weighted": tasks(loss=("mse", "mae"), loss_weights=(1, 2)),
}


def test_different_networks_have_different_keys() -> None:
    keys = {name: make().key for name, make in NETWORKS.items()}
    same = [(a, b) for a, b in itertools.combinations(keys, 2) if keys[a] == keys[b]]
    assert not same
    assert {name: make().key for name, make in NETWORKS.items()} == keys


def test_keys_of_systems_are_different_where_keys_of_layers_are() -> None:
    """The other kind of key, that of equations, tells the same networks apart."""
    from symbackprop.declare.key import system_key

    keys = {name: system_key(make().system) for name, make in NETWORKS.items()}
    same = [(a, b) for a, b in itertools.combinations(keys, 2) if keys[a] == keys[b]]
    assert same == [("not trainable", "frozen both"), ("decay", "L2 on the layer")], "these are the same equations"


def own(
    rhs: Callable[..., Any] = lambda z, W: z,
    init: Any = None,
    inference: float | None = None,
    momentum: float | None = None,
    least: int = 1,
    decay: bool = True,
    traits: tuple[str, ...] = (),
    start: float = 0.0,
    trainable: bool = True,
) -> Make:
    """A network of a user's own layer, varied in one respect at a time."""

    def layer(x: sb.Tensor) -> sb.Block:
        W = sb.parameter("W", (4,), init=init, decay=decay, trainable=trainable)
        mean = sb.state("mean", (4,), init=sb.init.constant(start))
        z = sb.tensor("z", x.dims, traits=traits)
        made = sb.equation(z[n, j], rhs(x[n, j], W[j]) * W[j])
        other = [] if inference is None else [sb.equation(z[n, j], inference * x[n, j] * W[j])]
        new = [] if momentum is None else [sb.equation(mean[j], (1 - momentum) * mean[j] + W[j])]
        return sb.layer(z, made, inference=other, updates=new, least_rows=least)

    return row(layer, sb.Dense(2))


OWN: dict[str, Make] = {
    "plain": own(),
    "rhs": own(lambda z, W: 2 * z),
    "padded": own(lambda z, W: z.tensor.padded[z.indices]),
    "detached": own(lambda z, W: sb.stop_gradient(z)),
    "init": own(init=sb.init.normal(0, 1)),
    "init 2": own(init=sb.init.normal(0, 2)),
    "inference": own(inference=1.0),
    "inference 2": own(inference=2.0),
    "updates": own(momentum=0.1),
    "updates 2": own(momentum=0.2),
    "updates, start": own(momentum=0.1, start=1.0),
    "least rows": own(least=2),
    "decay": own(decay=False),
    "traits": own(traits=("unit",)),
    "not trainable": own(trainable=False),
}


def test_keys_of_own_layers() -> None:
    keys = {name: make().key for name, make in OWN.items()}
    same = [(a, b) for a, b in itertools.combinations(keys, 2) if keys[a] == keys[b]]
    assert not same
    assert {name: make().key for name, make in OWN.items()} == keys, "a key is not canonical"


@pytest.mark.parametrize("strength", [0.1, 0.2])
def test_run_time_numbers_are_no_part_of_the_key(strength: float) -> None:
    first = row(sb.Dense(4), weight_decay=0.3, loss_weights=1.0)()
    assert row(sb.Dense(4), weight_decay=strength, loss_weights=strength)().key == first.key


GRAPH = """
import sys
import symbackprop as sb
a, b = sb.Input(4, "a"), sb.Input(4, "b")
encode = sb.Dense(3, "tanh", weight_regularizer=sb.L1(0.1))
h = sb.layers.Concatenate()(encode(a) + encode(b), sb.layers.Dropout(0.3)(b))
net = sb.Network(inputs=(a, b), outputs={"u": sb.Dense(2)(h), "v": h}, loss={"u": "mse"}, loss_weights=2.0, frozen="b1")
assert net.key and repr(net)
assert net.strengths == {"lam1": 0.1, "loss_weight": 2.0, "drop4": 0.3}, net.strengths
assert "sympy" not in sys.modules
assert net.strengths == {h.name: h.value for h in net.system.hypers}
"""


def test_keys_and_strengths_of_our_own_blocks_need_no_sympy() -> None:
    done = subprocess.run([sys.executable, "-c", GRAPH], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_cached_graph_is_compiled_without_sympy() -> None:
    lines = [
        "import sys, symbackprop as sb",
        "x = sb.Input(4)",
        'h = sb.Dense(4, "tanh")(x)',
        'sb.compile(sb.Network(inputs=x, outputs=sb.Dense(2)(h + x), loss="mse"), "numpy")',
        'print("sympy" in sys.modules)',
    ]
    told = [
        subprocess.run([sys.executable, "-c", "\n".join(lines)], capture_output=True, text=True, check=True)
        for _ in "12"
    ]
    assert [t.stdout.strip() for t in told] == ["True", "False"]
