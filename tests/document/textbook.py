r"""The gallery's formulas as textbooks write them, by hand, under the numbers that they have in the documents.

Samples are rows, a vector beside a matrix is meant for every sample. They are checked against JAX as the printed ones.
"""

from __future__ import annotations

import re

NUMBER = re.compile(r"[RS]?\d+")


def numbered(text: str) -> dict[str, str]:
    """The formulas of a text by their number, which stands first; a line without one goes on from the line above."""
    made: dict[str, str] = {}
    for line in text.strip().splitlines():
        number, _, formula = line.strip().partition(" ")
        if NUMBER.fullmatch(number):
            made[number] = formula.strip()
        else:
            made[list(made)[-1]] += f" {line.strip()}"
    return made


TEXTBOOK = {
    "linear": numbered(r"""
        1  z_{1} = x W_{1}^{\top} + b_{1}
        2  L = \frac{1}{N} \lVert z_{1} - y \rVert^{2}
        3  \delta^{(1)} = \frac{2}{N} (z_{1} - y)
        4  \frac{\partial L}{\partial W_{1}} = \delta^{(1)\top} x
        5  \frac{\partial L}{\partial b_{1}} = \delta^{(1)\top} \mathbf{1}
        6  \theta^{+} = \theta - \eta g
    """),
    "logistic": numbered(r"""
        1  z_{1} = x W_{1}^{\top} + b_{1}
        2  a_{1} = \sigma(z_{1})
        3  L = -\frac{1}{N} \sum \bigl(y \odot \log a_{1} + (1 - y) \odot \log(1 - a_{1})\bigr)
        4  \delta^{(1)} = \frac{1}{N} (a_{1} - y)
        5  \frac{\partial L}{\partial W_{1}} = \delta^{(1)\top} x
        6  \frac{\partial L}{\partial b_{1}} = \delta^{(1)\top} \mathbf{1}
        7  \theta^{+} = \theta - \eta g
    """),
    "xor": numbered(r"""
        1  z_{1} = x W_{1}^{\top} + b_{1}
        2  a_{1} = \sigma(z_{1})
        3  z_{2} = a_{1} W_{2}^{\top} + b_{2}
        4  a_{2} = \sigma(z_{2})
        5  L = -\sum \bigl(y \odot \log a_{2} + (1 - y) \odot \log(1 - a_{2})\bigr)
        6  \delta^{(2)} = a_{2} - y
        7  \delta^{(1)} = (\delta^{(2)} W_{2}) \odot a_{1} \odot (1 - a_{1})
        8  \frac{\partial L}{\partial W_{1}} = \delta^{(1)\top} x
        9  \frac{\partial L}{\partial b_{1}} = \delta^{(1)\top} \mathbf{1}
        10 \frac{\partial L}{\partial W_{2}} = \delta^{(2)\top} a_{1}
        11 \frac{\partial L}{\partial b_{2}} = \delta^{(2)\top} \mathbf{1}
        12 \theta^{+} = \theta - \eta g
    """),
    "deep_mlp": numbered(r"""
        1  z_{1} = x W_{1}^{\top} + b_{1}
        2  a_{1} = \sigma(z_{1})
        3  z_{2} = a_{1} W_{2}^{\top} + b_{2}
        4  a_{2} = \sigma(z_{2})
        5  z_{3} = a_{2} W_{3}^{\top} + b_{3}
        6  a_{3} = \sigma(z_{3})
        7  L = \frac{1}{N} \lVert a_{3} - y \rVert^{2}
            + \frac{\lambda}{2 N} (\lVert W_{1} \rVert^{2} + \lVert W_{2} \rVert^{2} + \lVert W_{3} \rVert^{2})
        8  \delta^{(3)} = \frac{2}{N} (a_{3} - y) \odot a_{3} \odot (1 - a_{3})
        9  \delta^{(2)} = (\delta^{(3)} W_{3}) \odot a_{2} \odot (1 - a_{2})
        10 \delta^{(1)} = (\delta^{(2)} W_{2}) \odot a_{1} \odot (1 - a_{1})
        11 \frac{\partial L}{\partial W_{1}} = \delta^{(1)\top} x + \frac{\lambda}{N} W_{1}
        12 \frac{\partial L}{\partial b_{1}} = \delta^{(1)\top} \mathbf{1}
        13 \frac{\partial L}{\partial W_{2}} = \delta^{(2)\top} a_{1} + \frac{\lambda}{N} W_{2}
        14 \frac{\partial L}{\partial b_{2}} = \delta^{(2)\top} \mathbf{1}
        15 \frac{\partial L}{\partial W_{3}} = \delta^{(3)\top} a_{2} + \frac{\lambda}{N} W_{3}
        16 \frac{\partial L}{\partial b_{3}} = \delta^{(3)\top} \mathbf{1}
        R7 R = \frac{\lambda}{2 N} (\lVert W_{1} \rVert^{2} + \lVert W_{2} \rVert^{2} + \lVert W_{3} \rVert^{2})
        R11 \frac{\partial R}{\partial W_{1}} = \frac{\lambda}{N} W_{1}
        R13 \frac{\partial R}{\partial W_{2}} = \frac{\lambda}{N} W_{2}
        R15 \frac{\partial R}{\partial W_{3}} = \frac{\lambda}{N} W_{3}
        S11 W_{1}^{+} = (1 - \frac{\eta \lambda}{N}) W_{1} - \eta \frac{\partial L_{0}}{\partial W_{1}}
        S13 W_{2}^{+} = (1 - \frac{\eta \lambda}{N}) W_{2} - \eta \frac{\partial L_{0}}{\partial W_{2}}
        S15 W_{3}^{+} = (1 - \frac{\eta \lambda}{N}) W_{3} - \eta \frac{\partial L_{0}}{\partial W_{3}}
        17 \theta^{+} = \theta - \eta g
    """),
    "half_square_norm": numbered(r"""
        1  X = U V
        2  a = X W
        3  L = \frac{1}{2} \lVert a \rVert^{2}
        4  \delta_{X} = a W^{\top}
        5  \frac{\partial L}{\partial V} = U^{\top} \delta_{X}
        6  \frac{\partial L}{\partial W} = X^{\top} a
        7  \theta^{+} = \theta - \eta g
    """),
    "batch_norm": numbered(r"""
        1  z_{1} = x W_{1}^{\top}
        2  \mu_{2} = \frac{1}{N} \operatorname{sum}_{0}(z_{1})
        3  \mathit{var}_{2} = \frac{1}{N} \operatorname{sum}_{0}\bigl((z_{1} - \mu_{2})^{\circ 2}\bigr)
        4  s_{2} = \sqrt{\mathit{var}_{2} + 10^{-5}}
        5  \hat{x}_{2} = (z_{1} - \mu_{2}) \oslash s_{2}
        6  h_{2} = \gamma_{2} \odot \hat{x}_{2} + \beta_{2}
        7  a_{3} = \max(0, h_{2})
        8  z_{4} = a_{3} W_{4}^{\top} + b_{4}
        9  L = \frac{1}{2 N} \lVert z_{4} - y \rVert^{2}
        10 \delta^{(4)} = \frac{1}{N} (z_{4} - y)
        11 \delta_{h_{2}} = (\delta^{(4)} W_{4}) \odot [h_{2} > 0]
        12 \delta^{(1)} = \gamma_{2} \oslash (N s_{2})
            \odot \bigl(N \delta_{h_{2}} - \operatorname{sum}_{0}(\delta_{h_{2}})
            - \hat{x}_{2} \odot \operatorname{sum}_{0}(\delta_{h_{2}} \odot \hat{x}_{2})\bigr)
        13 \frac{\partial L}{\partial W_{1}} = \delta^{(1)\top} x
        14 \frac{\partial L}{\partial \beta_{2}} = \operatorname{sum}_{0}(\delta_{h_{2}})
        15 \frac{\partial L}{\partial \gamma_{2}} = \operatorname{sum}_{0}(\delta_{h_{2}} \odot \hat{x}_{2})
        16 \frac{\partial L}{\partial W_{4}} = \delta^{(4)\top} a_{3}
        17 \frac{\partial L}{\partial b_{4}} = \operatorname{sum}_{0}(\delta^{(4)})
        18 \mu = \mathit{running}
        19 v = \mathit{running}
        20 r = 0.1 \mu + 0.9 \mathit{running}
        21 r = \frac{0.1 N}{N - 1} v + 0.9 \mathit{running}
        22 \theta^{+} = \theta - \eta g
    """),
    "softmax_regression": numbered(r"""
        1  z_{1} = x W_{1}^{\top} + b_{1}
        2  p = \operatorname{softmax}(z_{1})
        3  L = -\frac{1}{N} \sum y \odot \log p
        4  \delta^{(1)} = \frac{1}{N} (p - y)
        5  \frac{\partial L}{\partial W_{1}} = \delta^{(1)\top} x
        6  \frac{\partial L}{\partial b_{1}} = \delta^{(1)\top} \mathbf{1}
        7  \theta^{+} = \theta - \eta g
    """),
    "convolution": numbered(r"""
        1  z_{1,noij} = \sum_{c,u,v} W_{1,ocuv} x_{n, c, i + u, j + v} + b_{1,o}
        2  a_{1,noij} = \max(0, z_{1,noij})
        3  q_{ncij} = \operatorname{arg\,max}_{uv} a_{1,n, c, 2 i + u, 2 j + v}
        4  h_{2,ncij} = \max_{uv} a_{1,n, c, 2 i + u, 2 j + v}
        5  h_{3,nj} = h_{2,n, \lfloor \frac{1}{4} j \rfloor, \lfloor \frac{1}{2} j \rfloor \bmod 2, j \bmod 2}
        6  z_{4} = h_{3} W_{4}^{\top} + b_{4}
        7  p = \operatorname{softmax}(z_{4})
        8  L = -\frac{1}{N} \sum y \odot \log p
        9  \delta^{(4)} = \frac{1}{N} (p - y)
        10 \delta_{h_{3}} = \delta^{(4)} W_{4}
        11 \delta_{h_{2},ncij} = \delta_{h_{3},n, 4 c + 2 i + j}
        12 \delta_{noij}^{(1)} = \delta_{h_{2},n, o, \lfloor \frac{1}{2} i \rfloor, \lfloor \frac{1}{2} j \rfloor}
            [z_{1,noij} > 0]
            [2 (i \bmod 2) + (j \bmod 2) = q_{n, o, \lfloor \frac{1}{2} i \rfloor, \lfloor \frac{1}{2} j \rfloor}]
        13 \frac{\partial L}{\partial W_{1,ocuv}} = \sum_{n,i,j} \delta_{noij}^{(1)} x_{n, c, i + u, j + v}
        14 \frac{\partial L}{\partial b_{1,o}} = \sum_{n,i,j} \delta_{noij}^{(1)}
        15 \frac{\partial L}{\partial W_{4}} = \delta^{(4)\top} h_{3}
        16 \frac{\partial L}{\partial b_{4}} = \delta^{(4)\top} \mathbf{1}
        17 \theta^{+} = \theta - \eta g
    """),
    "adam": numbered(r"""
        1  z_{1} = x W_{1}^{\top} + b_{1}
        2  a_{1} = \tanh(z_{1})
        3  z_{2} = a_{1} W_{2}^{\top} + b_{2}
        4  L = \frac{1}{N} \lVert z_{2} - y \rVert^{2}
        5  \delta^{(2)} = \frac{2}{N} (z_{2} - y)
        6  \delta^{(1)} = (\delta^{(2)} W_{2}) \odot (1 - a_{1}^{\circ 2})
        7  \frac{\partial L}{\partial W_{1}} = \delta^{(1)\top} x
        8  \frac{\partial L}{\partial b_{1}} = \delta^{(1)\top} \mathbf{1}
        9  \frac{\partial L}{\partial W_{2}} = \delta^{(2)\top} a_{1}
        10 \frac{\partial L}{\partial b_{2}} = \delta^{(2)\top} \mathbf{1}
        11 m^{+} = \beta_{1} m + (1 - \beta_{1}) g
        12 v^{+} = \beta_{2} v + (1 - \beta_{2}) g^{2}
        13 \theta^{+} = \theta - \eta
            \frac{\frac{m^{+}}{1 - \beta_{1}^{t}}}{\sqrt{\frac{v^{+}}{1 - \beta_{2}^{t}}} + \varepsilon}
    """),
    "nesterov": numbered(r"""
        1  z_{1} = x W_{1}^{\top} + b_{1}
        2  a_{1} = \tanh(z_{1})
        3  z_{2} = a_{1} W_{2}^{\top} + b_{2}
        4  L = \frac{1}{N} \lVert z_{2} - y \rVert^{2}
        5  \delta^{(2)} = \frac{2}{N} (z_{2} - y)
        6  \delta^{(1)} = (\delta^{(2)} W_{2}) \odot (1 - a_{1}^{\circ 2})
        7  \frac{\partial L}{\partial W_{1}} = \delta^{(1)\top} x
        8  \frac{\partial L}{\partial b_{1}} = \delta^{(1)\top} \mathbf{1}
        9  \frac{\partial L}{\partial W_{2}} = \delta^{(2)\top} a_{1}
        10 \frac{\partial L}{\partial b_{2}} = \delta^{(2)\top} \mathbf{1}
        11 v^{+} = \mu v + g
        12 \theta^{+} = \theta - \eta (g + \mu v^{+})
    """),
}
"""The gradients through batch norm are those of Ioffe and Szegedy's paper, put together as usual; Adam's step is that
of its paper, with the corrected moments put in."""
