"""The networks of the committed examples in generated/: `symbackprop derive examples/networks.py:xor`."""

import symbackprop as sb

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

# Lecture 4's logistic regression.
logistic = sb.Network([sb.Input(2), sb.Dense(1, "sigmoid")], loss="binary_cross_entropy")

# The network of the demo: scikit-learn's 8 x 8 digits.
digits_mlp = sb.Network(
    [sb.Input(64), sb.Dense(64, "relu"), sb.Dense(32, "relu"), sb.Dense(10)],
    loss="softmax_cross_entropy",
    weight_decay=1e-4,
)
