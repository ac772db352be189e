"""Derivations in plain text, as a lecturer writes them."""

from __future__ import annotations

import numpy as np
import pytest

import symbackprop as sb
from symbackprop.language.nodes import TensorRef
from symbackprop.language.tensor import Tensor
from symbackprop.present.matrix import form
from symbackprop.present.symbols import latex_symbol, plain_symbol, text_name
from symbackprop.present.text import text
from symbackprop.records import Derivation
from tests.present.evaluate import Trees, expression, size_of
from tests.present.networks import NETWORKS

DIGITS = """\
forward
  z1 = x W1ᵀ + 1 b1ᵀ                          (N, 32)    (1)
  a1 = max(0, z1)                             (N, 32)    (2)
  z2 = a1 W2ᵀ + 1 b2ᵀ                         (N, 10)    (3)
  p  = softmax(z2)                            (N, 10)    (4)
loss
  L  = -1/N Σ y ⊙ log p + λ/2 (‖W1‖² + ‖W2‖²)            (5)
backward
  δ2 = (p - y)/N                              (N, 10)    (6)   rows of y sum to 1
  δ1 = (δ2 W2) ⊙ [z1 > 0]                     (N, 32)    (7)   0 at the kink
gradients
  dW1 = δ1ᵀ x + λ W1                          (32, 64)   (8)
  db1 = δ1ᵀ 1                                 (32,)      (9)
  dW2 = δ2ᵀ a1 + λ W2                         (10, 32)   (10)
  db2 = δ2ᵀ 1                                 (10,)      (11)
update   (Adam; θ is an entry of a parameter, g of its gradient, t counts steps from 1; m⁺ is the new m)
  m⁺ = β1 m + (1 - β1) g                                 (12)
  v⁺ = β2 v + (1 - β2) g²                                (13)
  θ⁺ = θ - η m⁺/((1 - β1^t) (√(v⁺/(1 - β2^t)) + ε))      (14)
  with η = 0.001, β1 = 0.9, β2 = 0.999, ε = 1e-08"""

XOR = """\
forward
  z1 = x W1ᵀ + 1 b1ᵀ                          (N, 2)   (1)
  a1 = σ(z1)                                  (N, 2)   (2)   σ(z) = 1/(1 + e^-z)
  z2 = a1 W2ᵀ + 1 b2ᵀ                         (N, 1)   (3)
  a2 = σ(z2)                                  (N, 1)   (4)
loss
  L  = -Σ (y ⊙ log a2 + (1 - y) ⊙ log(1 - a2))         (5)
backward
  δ2 = a2 - y                                 (N, 1)   (6)
  δ1 = (δ2 W2) ⊙ a1 ⊙ (1 - a1)                (N, 2)   (7)
gradients
  dW1 = δ1ᵀ x                                 (2, 2)   (8)
  db1 = δ1ᵀ 1                                 (2,)     (9)
  dW2 = δ2ᵀ a1                                (1, 2)   (10)
  db2 = δ2ᵀ 1                                 (1,)     (11)
update   (SGD; θ is an entry of a parameter, g of its gradient; θ⁺ is the new θ)
  θ⁺ = θ - η g                                         (12)
  with η = 0.5"""

LOGISTIC = """\
forward
  z1 = x W1ᵀ + 1 b1ᵀ                          (N, 1)   (1)
  a1 = σ(z1)                                  (N, 1)   (2)   σ(z) = 1/(1 + e^-z)
loss
  L  = -1/N Σ (y ⊙ log a1 + (1 - y) ⊙ log(1 - a1))     (3)
backward
  δ1 = (a1 - y)/N                             (N, 1)   (4)
gradients
  dW1 = δ1ᵀ x                                 (1, 2)   (5)
  db1 = δ1ᵀ 1                                 (1,)     (6)"""

DEEP = """\
loss
  L  = 1/(2 N) ‖z3 - y‖² + λ1 (‖W1‖₁ + ‖W2‖₁ + ‖W3‖₁) + λ/(2 N) (‖W1‖² + ‖W2‖² + ‖W3‖²)  (6)
backward
  δ3 = (z3 - y)/N                             (N, 3)   (7)
  δ2 = (δ3 W3) ⊙ (1 - a2 ⊙ a2)                (N, 4)   (8)
  δ1 = (δ2 W2) ⊙ a1 ⊙ (1 - a1)                (N, 5)   (9)
gradients
  dW1 = δ1ᵀ x + λ/N W1 + λ1 sign(W1)          (5, 6)   (10)  0 at the kink
  db1 = δ1ᵀ 1                                 (5,)     (11)
  dW2 = δ2ᵀ a1 + λ/N W2 + λ1 sign(W2)         (4, 5)   (12)  0 at the kink
  db2 = δ2ᵀ 1                                 (4,)     (13)
  dW3 = δ3ᵀ a2 + λ/N W3 + λ1 sign(W3)         (3, 4)   (14)  0 at the kink
  db3 = δ3ᵀ 1                                 (3,)     (15)"""

RBF = """\
forward
  a[n, j] = exp(-Σ_k (x[n, k] - c[j, k])²)                (N, 20)    (1)
  z1      = a W1ᵀ + 1 b1ᵀ                                 (N, 10)    (2)
loss
  L  = 1/(10 N) ‖z1 - y‖²                                            (3)
backward
  δ1  = (z1 - y)/(5 N)                                    (N, 10)    (4)
  δ_a = δ1 W1                                             (N, 20)    (5)
gradients
  dc[j, k] = 2 Σ_n δ_a[n, j] a[n, j] (x[n, k] - c[j, k])  (20, 64)   (6)
  dW1      = δ1ᵀ a                                        (10, 20)   (7)
  db1      = δ1ᵀ 1                                        (10,)      (8)"""


@pytest.mark.parametrize(
    ("name", "optimizer", "expected"),
    [
        ("digits", sb.Adam(), DIGITS),
        ("xor", sb.SGD(0.5), XOR),
        ("logistic", None, LOGISTIC),
        ("deep", None, DEEP),
        ("rbf", None, RBF),
    ],
)
def test_a_derivation_reads_as_in_the_lectures(name: str, optimizer: sb.Optimizer | None, expected: str) -> None:
    printed = text(NETWORKS[name].derive(optimizer))
    start = printed.index(expected.partition("\n")[0] + "\n")
    assert printed[start:] == expected


def test_computed_forms_stand_below_where_they_differ() -> None:
    net = sb.Network([sb.Input(3), sb.Dense(2, "softplus"), sb.Dense(2)], loss="mse")
    lines = text(net.derive(), computed=True).splitlines()
    place = next(at for at, line in enumerate(lines) if line.startswith("  a1 = log(1 + e^z1)"))
    assert lines[place + 1] == "    computed as max(0, z1) + log1p(exp(-|z1|))"
    assert "computed" not in text(net.derive())


@pytest.mark.parametrize(
    ("optimizer", "lines"),
    [
        (sb.Momentum(), ["v⁺ = μ v + g", "θ⁺ = θ - η v⁺"]),
        (sb.Momentum(form="velocity"), ["v⁺ = μ v - η g", "θ⁺ = θ + v⁺"]),
        (sb.Nesterov(), ["v⁺ = μ v + g", "θ⁺ = θ - η (μ v⁺ + g)"]),
        (sb.Nesterov(form="velocity"), ["v⁺ = μ v - η g", "θ⁺ = θ + μ v⁺ - η g"]),
        (sb.Adagrad(), ["s⁺ = s + g²", "θ⁺ = θ - η g/(√s⁺ + ε)"]),
        (sb.RMSProp(), ["s⁺ = ρ s + (1 - ρ) g²", "θ⁺ = θ - η g/(√s⁺ + ε)"]),
    ],
)
def test_updates(optimizer: sb.Optimizer, lines: list[str]) -> None:
    printed = text(NETWORKS["logistic"].derive(optimizer))
    block = printed[printed.index("update") :].splitlines()
    numbered = [line.rpartition("(") for line in block[1:-1]]
    assert [left.strip() for left, _, _ in numbered] == lines
    assert [right for _, _, right in numbered] == [f"{number})" for number in range(7, 7 + len(lines))]


def test_kinks_are_remarked_where_a_derivative_jumps() -> None:
    printed = text(NETWORKS["branches"].derive()).splitlines()
    notes = {line.split()[0]: line.rpartition(")   ")[2] for line in printed if "kink" in line}
    assert notes == {"δ3": "0 at the kink", "δ2": "0.01 at the kink"}
    mask = sb.Network([sb.Input(3), sb.Dense(2, lambda z: z * sb.where(z > 0, 1, 0))], loss="mse")
    assert "kink" not in text(mask.derive())


def values_of(derivation: Derivation) -> dict[Tensor, np.ndarray]:
    rng = np.random.default_rng(5)
    found: set[Tensor] = set()
    for eq in (*derivation.forward, derivation.objective, *derivation.adjoints, *derivation.gradients):
        found |= {ref.tensor for ref in eq.rhs.atoms(TensorRef)} | {ref.tensor for ref in eq.evaluated.atoms(TensorRef)}
    return {t: 0.1 + 0.8 * rng.random(tuple(map(size_of, t.dims))) for t in sorted(found, key=lambda t: t.name)}


@pytest.mark.parametrize("name", NETWORKS)
def test_what_is_printed_is_what_was_derived(name: str) -> None:
    """Every printed right side, the computed ones too, has the values of its equation."""
    derivation = NETWORKS[name].derive()
    values = values_of(derivation)
    for eq in (*derivation.forward, derivation.objective, *derivation.adjoints, *derivation.gradients):
        for rhs in {eq.rhs, eq.evaluated}:
            made = form(eq, rhs)
            letters = [c.name for c in made.lhs.indices] if made.indexed and eq.indices else []
            sizes = {c: size_of(i.dim) for c, i in zip(letters, eq.indices, strict=made.indexed)}
            want = expression(rhs, eq.indices, values)
            got = np.asarray(Trees(values, sizes)(made.rhs))
            got = got.reshape(want.shape) if got.size == want.size else np.broadcast_to(got, want.shape)
            np.testing.assert_allclose(got, want, rtol=1e-9, atol=1e-12, err_msg=f"{eq.lhs} = {rhs}")


@pytest.mark.parametrize(
    ("name", "kind", "plain", "latex"),
    [
        ("W12", "parameter", "W12", "W_{12}"),
        ("delta1", "adjoint", "δ1", r"\delta^{(1)}"),
        ("delta_a", "adjoint", "δ_a", r"\delta_{a}"),
        ("delta_h_1", "adjoint", "δ_h_1", r"\delta_{h_{1}}"),
        ("delta_mu", "adjoint", "δ_μ", r"\delta_{\mu}"),
        ("lam_2", "hyper", "λ_2", r"\lambda_{2}"),
        ("beta1", "hyper", "β1", r"\beta_{1}"),
        ("eps", "hyper", "ε", r"\varepsilon"),
        ("xhat", "intermediate", "xhat", r"\hat{x}"),
        ("var", "intermediate", "var", r"\mathit{var}"),
        ("dW1", "gradient", "dW1", r"\frac{\partial L}{\partial W_{1}}"),
        ("dgamma", "gradient", "dγ", r"\frac{\partial L}{\partial \gamma}"),
        ("d", "intermediate", "d", "d"),
        ("theta", "parameter", "θ", r"\theta"),
        ("total_loss", "intermediate", "total_loss", r"\mathit{total\_loss}"),
    ],
)
def test_names(name: str, kind: str, plain: str, latex: str) -> None:
    tensor = Tensor(name, (), kind)
    assert (text_name(tensor), latex_symbol(plain_symbol(tensor))) == (plain, latex)
