"""Three encoders with the same weights learn, by the triplet loss, a space where equal digits are near each other."""

import statistics

import numpy as np

import symbackprop as sb
from symbackprop.demo import digits_splits

NEAR = 20
"""An anchor's unlike digit is one of so many that are nearest to it: far ones teach nothing any more."""


def network() -> sb.Network:
    he = sb.init.he_normal()
    layers = [
        sb.layers.Conv2d(16, 3, padding=1, activation="relu", init=he),
        sb.layers.MaxPool2d(2),
        sb.layers.Conv2d(32, 3, padding=1, activation="relu", init=he),
        sb.layers.Flatten(),
        sb.Dense(16),
    ]

    def encoder(h: sb.Input) -> sb.Input:
        for layer in layers:  # the same objects at every call, so the same weights
            h = layer(h)
        return h

    inputs = tuple(sb.Input((1, 8, 8), name=name) for name in ("anchor", "like", "unlike"))
    outputs = {f"{x.name}_code": encoder(x) for x in inputs}
    return sb.Network(inputs=inputs, outputs=outputs, loss=sb.losses.triplet(margin=1.0))


def main(epochs: int = 20, splits: int = 5, target: str = "c") -> tuple[float, float]:
    """Mean test accuracies of the nearest training digit's label: nearest by codes, and by pixels."""
    scores = []
    for seed, (pixels, pixels_test, y, y_test) in enumerate(digits_splits()[:splits]):
        x, x_test = (p.reshape(-1, 1, 8, 8) for p in (pixels, pixels_test))
        optimizer = sb.Adam(sb.schedules.cosine(2e-3, epochs=epochs))
        model = sb.compile(network(), target=target, optimizer=optimizer, seed=seed)
        rng = np.random.default_rng(seed)
        for _ in range(epochs):
            like, unlike = partners(codes(model, x), y, rng)
            model.fit((x, x[like], x[unlike]), epochs=1, batch_size=32, verbose=False)
        found = y[distances(codes(model, x_test), codes(model, x)).argmin(axis=1)]
        plain = y[distances(pixels_test, pixels).argmin(axis=1)]
        scores.append((np.mean(found == y_test), np.mean(plain == y_test)))
        print(f"split {seed}: {100 * scores[-1][0]:.1f} % by codes, {100 * scores[-1][1]:.1f} % by pixels")
    by_codes, by_pixels = (statistics.mean(map(float, column)) for column in zip(*scores, strict=True))
    print(f"mean 1-nearest-neighbor test accuracy: {100 * by_codes:.1f} % (pixels: {100 * by_pixels:.1f} %)")
    return by_codes, by_pixels


def codes(model, x: np.ndarray) -> np.ndarray:
    """The codes of digits; all three encoders give the same, so one is asked."""
    return model.predict((x, x, x))["anchor_code"]


def partners(made: np.ndarray, y: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """For every digit another of its class, by chance, and one of the `NEAR` nearest of other classes."""
    same = y[:, None] == y
    like = np.where(same, rng.random(same.shape), -1).argmax(axis=1)
    nearest = np.argpartition(np.where(same, np.inf, distances(made, made)), NEAR, axis=1)
    return like, nearest[np.arange(len(y)), rng.integers(0, NEAR, len(y))]


def distances(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Squared distances of the rows of a from the rows of b."""
    a, b = a.astype(float), b.astype(float)
    return (a**2).sum(axis=1)[:, None] - 2 * a @ b.T + (b**2).sum(axis=1)


if __name__ == "__main__":
    main()
