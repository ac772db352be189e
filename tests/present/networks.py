"""Networks whose derivations are printed in the tests."""

from __future__ import annotations

from typing import Any

import symbackprop as sb
from symbackprop.language.nodes import Size

n, i, j, k, m = sb.indices("n i j k m")


def rbf(x: sb.Tensor, width: int = 20) -> Any:
    c = sb.parameter("c", (width, x.dim(1)))
    a = sb.tensor("a", (x.dim(0), width))
    return sb.layer(a, sb.equation(a[n, j], sb.exp(-sb.Sum((x[n, k] - c[j, k]) ** 2, k))))


def batch_norm(x: sb.Tensor) -> Any:
    width = x.dim(1)
    mu, var = sb.tensor("mu", (width,)), sb.tensor("var", (width,))
    gamma, beta = sb.parameter("gamma", (width,)), sb.parameter("beta", (width,))
    hat, out = sb.tensor("xhat", x.dims), sb.tensor("h", x.dims)
    return sb.layer(
        out,
        sb.equation(mu[j], sb.Sum(x[n, j], n) / Size(x.dim(0))),
        sb.equation(var[j], sb.Sum((x[n, j] - mu[j]) ** 2, n) / Size(x.dim(0))),
        sb.equation(hat[n, j], (x[n, j] - mu[j]) / sb.sqrt(var[j] + 1e-5)),
        sb.equation(out[n, j], gamma[j] * hat[n, j] + beta[j]),
    )


def attention(x: sb.Tensor) -> Any:
    batch, steps, width = x.dims
    Q, K, V = (sb.parameter(name, (4, width)) for name in "QKV")
    q, key, v = (sb.tensor(name, (batch, steps, 4)) for name in ("q", "k", "v"))
    s, a, o = sb.tensor("s", (batch, steps, steps)), sb.tensor("a", (batch, steps, steps)), sb.tensor("o", (batch, 4))
    return sb.layer(
        o,
        *(sb.equation(t[n, j, k], sb.Sum(P[k, m] * x[n, j, m], m)) for t, P in ((q, Q), (key, K), (v, V))),
        sb.equation(s[n, j, k], sb.Sum(q[n, j, m] * key[n, k, m], m) / 2),
        sb.equation(a[n, j, k], sb.exp(s[n, j, k]) / sb.Sum(sb.exp(s[n, j, m]), m)),
        sb.equation(o[n, k], sb.Sum(a[n, j, m] * v[n, m, k], j, m)),
    )


def mish(z: Any) -> Any:
    return z * sb.tanh(sb.log(1 + sb.exp(z)))


NETWORKS: dict[str, sb.Network] = {
    "digits": sb.Network(
        [sb.Input(64), sb.Dense(32, "relu"), sb.Dense(10)], loss="softmax_cross_entropy", weight_decay=1e-4
    ),
    "xor": sb.Network(
        [sb.Input(2), sb.Dense(2, "sigmoid"), sb.Dense(1, "sigmoid")], loss="binary_cross_entropy", reduction="sum"
    ),
    "logistic": sb.Network([sb.Input(2), sb.Dense(1, "sigmoid")], loss="binary_cross_entropy"),
    "deep": sb.Network(
        [sb.Input(6), sb.Dense(5, "sigmoid"), sb.Dense(4, "tanh"), sb.Dense(3)],
        loss="half_mse",
        reduction="batch_mean",
        regularizers=[sb.L2(0.1, over_n=True), sb.L1(0.2)],
    ),
    "rbf": sb.Network([sb.Input(64), rbf, sb.Dense(10)], loss="mse"),
    "norm": sb.Network([sb.Input(4), sb.Dense(5), batch_norm, sb.Dense(3)], loss="softmax_cross_entropy"),
    "attention": sb.Network([sb.Input((5, 7)), attention, sb.Dense(3)], loss="mae"),
    "order 3": sb.Network([sb.Input((6, 7)), sb.Dense(5, mish)], loss="sigmoid_cross_entropy"),
    "branches": sb.Network(
        [sb.Input(6), sb.Dense(5, "softmax"), sb.Dense(4, "leaky_relu"), sb.Dense(3, "elu")], loss="mae"
    ),
    "20 layers": sb.Network([sb.Input(6), *(sb.Dense(4 + d % 3, "sigmoid") for d in range(20))], loss="mse"),
}
