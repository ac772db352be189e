"""Layers: frozen records that build their forward equations. `LAYERS` is the list of all of them."""

from .activation import Activation as Activation
from .base import Layer
from .bilinear import Bilinear as Bilinear
from .concatenate import Concatenate as Concatenate
from .conv import Conv1d as Conv1d
from .conv import Conv2d as Conv2d
from .conv_transpose import ConvTranspose2d as ConvTranspose2d
from .dense import Dense as Dense
from .dropout import Dropout as Dropout
from .embedding import Embedding as Embedding
from .function import Function as Function
from .function import apply as apply
from .input import Input as Input
from .input import input_tensor as input_tensor
from .join import Add as Add
from .join import Multiply as Multiply
from .join import Subtract as Subtract
from .maxout import Maxout as Maxout
from .norms import BatchNorm1d as BatchNorm1d
from .norms import BatchNorm2d as BatchNorm2d
from .norms import GroupNorm as GroupNorm
from .norms import LayerNorm as LayerNorm
from .norms import RMSNorm as RMSNorm
from .pool import AvgPool1d as AvgPool1d
from .pool import AvgPool2d as AvgPool2d
from .pool import GlobalAvgPool as GlobalAvgPool
from .pool import MaxPool1d as MaxPool1d
from .pool import MaxPool2d as MaxPool2d
from .prelu import PReLU as PReLU
from .rbf import RBF as RBF
from .shape import Flatten as Flatten
from .shape import Reshape as Reshape
from .shape import Transpose as Transpose
from .stop_gradient import StopGradient as StopGradient
from .tied import Tied as Tied

LAYERS: dict[str, type[Layer]] = {
    kind.__name__: kind
    for kind in (
        *(Dense, Activation, Dropout),
        *(BatchNorm1d, BatchNorm2d, LayerNorm, RMSNorm, GroupNorm),
        *(Conv1d, Conv2d, ConvTranspose2d),
        *(MaxPool1d, MaxPool2d, AvgPool1d, AvgPool2d, GlobalAvgPool),
        *(Flatten, Reshape, Transpose),
        *(Embedding, Bilinear, RBF, Maxout, PReLU),
    )
}
"""Every layer by its name."""

WIRING: dict[str, type[Layer]] = {
    kind.__name__: kind for kind in (Add, Subtract, Multiply, Concatenate, StopGradient, Tied)
}
"""The layers that join, share or cut."""
