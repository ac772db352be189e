"""A normalization and a loss that symbackprop does not have, in equations only; the loss bears wrong labels."""

import statistics

import numpy as np

import symbackprop as sb
from symbackprop.demo import digits_splits

MOMENTUM = 0.1


def l1_norm(x: sb.Tensor) -> sb.Block:
    """Batch normalization by the mean absolute deviation; running values of it and of the mean at inference."""
    n, j = sb.indices("n j")
    columns, rows = x.dims[1:], sb.size(x.dim(0))
    mean = sb.state("mean", columns, init=sb.init.constant(0))
    spread = sb.state("spread", columns, init=sb.init.constant(1))
    mu, s, c, h = sb.tensor("mu", columns), sb.tensor("s", columns), sb.tensor("c", x.dims), sb.tensor("h", x.dims)
    return sb.layer(
        h,
        sb.equation(mu[j], sb.Sum(x[n, j], n) / rows),
        sb.equation(c[n, j], x[n, j] - mu[j]),
        sb.equation(s[j], sb.Sum(sb.absolute(c[n, j]), n) / rows),
        sb.equation(h[n, j], c[n, j] / (s[j] + 1e-3)),
        inference=[sb.equation(mu[j], mean[j]), sb.equation(s[j], spread[j])],
        updates=[
            sb.equation(mean[j], (1 - MOMENTUM) * mean[j] + MOMENTUM * mu[j]),
            sb.equation(spread[j], (1 - MOMENTUM) * spread[j] + MOMENTUM * s[j]),
        ],
        least_rows=2,
    )


def taylor(p, y):
    """The first two terms of -log p = (1 - p) + (1 - p)^2/2 + ...: bounded, so that no single label rules."""
    return y * ((1 - p) + (1 - p) ** 2 / 2)


def network(loss=taylor) -> sb.Network:
    layers = [sb.Input(64), sb.Dense(64), l1_norm, sb.Activation("relu"), sb.Dense(10, "softmax")]
    return sb.Network(layers, loss=loss, reduction="batch_mean")


def accuracy(loss, epochs: int, splits: int, wrong: float, target: str) -> float:
    """The mean test accuracy when a part `wrong` of the training labels is replaced by chance."""
    found = []
    for seed, (x, x_test, y, y_test) in enumerate(digits_splits()[:splits]):
        rng = np.random.default_rng(seed)
        heard = np.where(rng.random(len(y)) < wrong, rng.integers(0, 10, len(y)), y)
        optimizer = sb.Adam(sb.schedules.cosine(3e-3, epochs=epochs))
        model = sb.compile(network(loss), target=target, optimizer=optimizer, seed=seed)
        model.fit(x, np.eye(10)[heard], epochs, 32, verbose=False)
        found.append(float(np.mean(model.predict(x_test).argmax(axis=1) == y_test)))
    return statistics.mean(found)


def main(epochs: int = 30, splits: int = 5, wrong: float = 0.4, target: str = "c") -> tuple[float, float]:
    """The mean test accuracies with this loss and with cross-entropy."""
    print(network().derive())
    own, known = (accuracy(loss, epochs, splits, wrong, target) for loss in (taylor, "cross_entropy"))
    print(f"{100 * wrong:.0f} % of the training labels are drawn by chance")
    print(f"mean test accuracy: {100 * own:.1f} % (cross-entropy: {100 * known:.1f} %)")
    return own, known


if __name__ == "__main__":
    main()
