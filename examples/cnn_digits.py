"""A convolutional network reads scanned digits (8 x 8 pixels), compiled to C."""

import statistics
import time

import symbackprop as sb
from symbackprop.demo import digits_splits

BATCH = 32


def network() -> sb.Network:
    he = sb.init.he_normal()
    return sb.Network(
        [
            sb.Input((1, 8, 8)),
            sb.layers.Conv2d(16, 3, padding=1, init=he),
            sb.layers.BatchNorm2d(),
            sb.Activation("relu"),
            sb.layers.Conv2d(32, 3, padding=1, init=he),
            sb.layers.BatchNorm2d(),
            sb.Activation("relu"),
            sb.layers.MaxPool2d(2),
            sb.layers.Flatten(),
            sb.layers.Dropout(0.3),
            sb.Dense(64, "relu", init=he),
            sb.Dense(10),
        ],
        loss="softmax_cross_entropy",
        weight_decay=1e-4,
    )


def main(epochs: int = 20, splits: int = 5, target: str = "c") -> float:
    """The mean test accuracy over stratified 80/20 splits."""
    accuracies = []
    for seed, (x, x_test, y, y_test) in enumerate(digits_splits()[:splits]):
        optimizer = sb.Adam(sb.schedules.cosine(3e-3, epochs=epochs))
        model = sb.compile(network(), target=target, optimizer=optimizer, seed=seed)
        begun = time.perf_counter()
        history = model.fit(x.reshape(-1, 1, 8, 8), y, epochs, BATCH, verbose=False, metrics=False)
        seconds, speed = time.perf_counter() - begun, statistics.median(history.examples_per_second)
        accuracies.append(model.evaluate(x_test.reshape(-1, 1, 8, 8), y_test)["accuracy"])
        print(f"split {seed}: {100 * accuracies[-1]:.1f} %, trained in {seconds:.1f} s, {speed:,.0f} examples/s")
    mean = statistics.mean(accuracies)
    print(f"mean test accuracy: {100 * mean:.1f} %")
    return mean


if __name__ == "__main__":
    main()
