"""A denoising autoencoder: the decoder has the encoder's weights, transposed; the noise is a layer of equations."""

import math
from pathlib import Path

import numpy as np

import symbackprop as sb
from symbackprop.demo import digits_splits

NOISE = 0.4
"""The noise's standard deviation; a pixel lies in [0, 1]."""


def noisy(x: sb.Tensor) -> sb.Block:
    """x plus Gaussian noise (Box and Muller's form), drawn anew at every step of training; at inference x itself."""
    n, j = sb.indices("n j")
    u, v, h = sb.random("u", x.dims), sb.random("v", x.dims), sb.tensor("h", x.dims)
    gauss = sb.sqrt(-2 * sb.log(1 - u[n, j])) * sb.cos(2 * math.pi * v[n, j])
    return sb.layer(h, sb.equation(h[n, j], x[n, j] + NOISE * gauss), inference=[sb.equation(h[n, j], x[n, j])])


def network() -> sb.Network:
    first, second = sb.Dense(256, "relu"), sb.Dense(64, "relu")
    decoder = [sb.layers.Tied(second, "relu"), sb.layers.Tied(first, "sigmoid")]
    return sb.Network([sb.Input(64), noisy, first, second, *decoder], loss="mse")


def main(epochs: int = 150, out: str | Path = "out", target: str = "c") -> tuple[float, float]:
    """The mean squared errors of noisy and of denoised digits, none of which were seen in training."""
    x, x_test, _, _ = digits_splits()[0]
    optimizer = sb.Adam(sb.schedules.cosine(2e-3, epochs=epochs))
    model = sb.compile(network(), target=target, optimizer=optimizer, seed=0)
    model.fit(x, x, epochs, 32, verbose=False)

    with_noise = x_test + NOISE * np.random.default_rng(0).standard_normal(x_test.shape)
    denoised = model.predict(with_noise)
    before, after = (float(np.mean((d - x_test) ** 2)) for d in (with_noise, denoised))
    draw(Path(out) / "denoised.png", x_test, with_noise, denoised)
    print(f"mean squared error: {before:.3f} noisy, {after:.3f} denoised")
    return before, after


def draw(path: Path, *rows: np.ndarray) -> None:
    """Twelve digits: as they are, noisy, denoised."""
    try:
        from matplotlib.image import imsave
    except ImportError:
        print('no picture without matplotlib: pip install "symbackprop[plot]"')
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    tiles = [np.pad(row[:12].reshape(12, 8, 8), ((0, 0), (1, 1), (1, 1))).clip(0, 1) for row in rows]
    sheet = np.vstack([np.hstack(list(row)) for row in tiles])
    imsave(path, np.kron(sheet, np.ones((6, 6))), cmap="gray")
    print(f"wrote {path}: digits, noisy, denoised")


if __name__ == "__main__":
    main()
