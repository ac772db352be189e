"""The networks of the committed examples in generated/: `symbackprop derive examples/networks.py:words`."""

import symbackprop as sb

# A small convolutional network with everything that has two modes.
convolutional = sb.Network(
    [
        sb.Input((1, 8, 8)),
        sb.layers.Conv2d(8, 3, padding=1),
        sb.layers.BatchNorm2d(),
        sb.Activation("relu"),
        sb.layers.MaxPool2d(2),
        sb.layers.Flatten(),
        sb.layers.Dropout(0.2),
        sb.Dense(10),
    ],
    loss="softmax_cross_entropy",
)

# Words looked up in a table, a residual block over them, their mean.
_words = sb.layers.Embedding(30, 8)(sb.Input(6, name="words", levels=30))
_mixed = sb.layers.LayerNorm()(sb.Dense(8, "silu")(_words) + _words)
words = sb.Network(
    inputs=_words.inputs,
    outputs=sb.Dense(3)(sb.layers.Flatten()(_mixed)),
    loss="softmax_cross_entropy",
)

# The network of the demo: scikit-learn's 8 x 8 digits.
digits_mlp = sb.Network(
    [sb.Input(64), sb.Dense(64, "relu"), sb.Dense(32, "relu"), sb.Dense(10)],
    loss="softmax_cross_entropy",
    weight_decay=1e-4,
)
