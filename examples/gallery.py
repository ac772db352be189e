"""The networks of the gallery in generated/: `symbackprop derive examples/gallery.py:xor -o xor.pdf`."""

import symbackprop as sb

linear = sb.Network([sb.Input(3), sb.Dense(1)], loss="mse")

# Lecture 4's neuron, a sigmoid of a weighted sum.
logistic = sb.Network([sb.Input(2), sb.Dense(1, "sigmoid")], loss="binary_cross_entropy")

# Lecture 1's network: 2-2-1, sigmoid, cross-entropy summed over the rows, weights of standard deviation 0.5.
xor = sb.Network(
    [
        sb.Input(2),
        sb.Dense(2, "sigmoid", init=sb.init.normal(0, 0.5), bias_init=sb.init.normal(0, 0.5)),
        sb.Dense(1, "sigmoid", init=sb.init.normal(0, 0.5), bias_init=sb.init.normal(0, 0.5)),
    ],
    loss="binary_cross_entropy",
    reduction="sum",
)

# Lecture 2's network: sigmoid layers, the recursion of delta, C = 1/n sum ||a - y||^2 + lambda/(2n) sum w^2.
deep_mlp = sb.Network(
    [sb.Input(4), sb.Dense(5, "sigmoid"), sb.Dense(4, "sigmoid"), sb.Dense(3, "sigmoid")],
    loss="mse",
    reduction="batch_mean",
    regularizers=[sb.L2(0.1, over_n=True)],
)


def _half_square_norm() -> sb.Network:
    """Lecture 5's f = 1/2 ||X W||^2. X comes from a layer below, so that f is differentiated by X, too."""
    n, j, k = sb.indices("n j k")
    U = sb.input_tensor("U", 3)
    V, W = sb.parameter("V", (3, 4)), sb.parameter("W", (4, 2))
    X, a = sb.tensor("X", (U.dim(0), 4)), sb.tensor("a", (U.dim(0), 2))
    equations = [
        sb.equation(X[n, j], sb.Sum(U[n, k] * V[k, j], k)),
        sb.equation(a[n, j], sb.Sum(X[n, k] * W[k, j], k)),
    ]
    return sb.Network(inputs=U, outputs=a, equations=equations, loss=lambda a, _: a**2 / 2, reduction="sum")


half_square_norm = _half_square_norm()

# Without a bias before the mean is taken away: it would have no effect.
batch_norm = sb.Network(
    [sb.Input(4), sb.Dense(3, bias=False), sb.layers.BatchNorm1d(), sb.Activation("relu"), sb.Dense(2)], loss="mse"
)

softmax_regression = sb.Network([sb.Input(4), sb.Dense(3)], loss="softmax_cross_entropy")

convolution = sb.Network(
    [
        sb.Input((1, 6, 6)),
        sb.layers.Conv2d(2, 3, activation="relu"),
        sb.layers.MaxPool2d(2),
        sb.layers.Flatten(),
        sb.Dense(3),
    ],
    loss="softmax_cross_entropy",
)

# The optimizers' own entries, on a small network each.
adam = sb.Network([sb.Input(3), sb.Dense(2, "tanh"), sb.Dense(1)], loss="mse")
nesterov = sb.Network([sb.Input(3), sb.Dense(2, "tanh"), sb.Dense(1)], loss="mse")

GALLERY = {
    "linear": (linear, sb.SGD(0.1), {"x": (6, 3), "y": (6, 1)}),
    "logistic": (logistic, sb.SGD(0.1), {"x": (6, 2), "y": (6, 1)}),
    "xor": (xor, sb.SGD(0.5), {"x": (4, 2), "y": (4, 1)}),
    "deep_mlp": (deep_mlp, sb.SGD(0.1), {"x": (6, 4), "y": (6, 3)}),
    "half_square_norm": (half_square_norm, sb.SGD(0.1), {"U": (5, 3)}),
    "batch_norm": (batch_norm, sb.SGD(0.1), {"x": (6, 4), "y": (6, 2)}),
    "softmax_regression": (softmax_regression, sb.SGD(0.1), {"x": (6, 4), "y": (6, 3)}),
    "convolution": (convolution, sb.SGD(0.1), {"x": (5, 1, 6, 6), "y": (5, 3)}),
    "adam": (adam, sb.Adam(1e-3), {"x": (6, 3), "y": (6, 1)}),
    "nesterov": (nesterov, sb.Nesterov(0.01, 0.9), {"x": (6, 3), "y": (6, 1)}),
}
"""Name -> (network, optimizer, shapes of the data with a batch size to try them with)."""
