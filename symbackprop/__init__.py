"""symbackprop: from a network declared symbolically to its gradients, derived, printed, checked and compiled.

SymPy and Jinja are imported when something is derived or emitted, not when this package is.
"""

import typing as _typing

from .declare import activations as activations
from .declare import initializers
from .declare import layers as layers
from .declare import losses as losses
from .declare import optimizers as optimizers
from .declare import regularizers as regularizers
from .declare import schedules as schedules
from .declare.equation import Block as Block
from .declare.equation import equation as equation
from .declare.equation import layer as layer
from .declare.layers import Activation as Activation
from .declare.layers import Dense as Dense
from .declare.layers import Input as Input
from .declare.layers import apply as apply
from .declare.layers import input_tensor as input_tensor
from .declare.layers.base import Layer as Layer
from .declare.losses.base import Loss as Loss
from .declare.network import Network as Network
from .declare.optimizer import Optimizer as Optimizer
from .declare.optimizer import hyper as hyper
from .declare.optimizers import SGD as SGD
from .declare.optimizers import Adagrad as Adagrad
from .declare.optimizers import Adam as Adam
from .declare.optimizers import Momentum as Momentum
from .declare.optimizers import Nesterov as Nesterov
from .declare.optimizers import RMSProp as RMSProp
from .declare.regularizers import L1 as L1
from .declare.regularizers import L2 as L2
from .errors import SymbackpropError as SymbackpropError
from .language.functions import MaxOver as MaxOver
from .language.functions import Sum as Sum
from .language.functions import absolute as absolute
from .language.functions import cos as cos
from .language.functions import cosh as cosh
from .language.functions import erf as erf
from .language.functions import exp as exp
from .language.functions import indices as indices
from .language.functions import log as log
from .language.functions import maximum as maximum
from .language.functions import minimum as minimum
from .language.functions import next as next
from .language.functions import part as part
from .language.functions import sin as sin
from .language.functions import sinh as sinh
from .language.functions import size as size
from .language.functions import sqrt as sqrt
from .language.functions import stop_gradient as stop_gradient
from .language.functions import tanh as tanh
from .language.functions import where as where
from .language.tensor import Dim as Dim
from .language.tensor import Tensor as Tensor
from .language.tensor import hyper_tensor as hyper_tensor
from .language.tensor import parameter as parameter
from .language.tensor import random as random
from .language.tensor import state as state
from .language.tensor import tensor as tensor
from .pipeline import compile as compile
from .present.notation import Notation as Notation

init = initializers
__version__ = "0.1.0"

if not _typing.TYPE_CHECKING:

    def __getattr__(name: str) -> _typing.NoReturn:
        """Say where a name is that stands in one of the modules."""
        for module in (layers, optimizers, regularizers, losses, activations, schedules):
            if hasattr(module, name):
                short = module.__name__.rpartition(".")[2]
                raise AttributeError(f"symbackprop has no {name}; it is sb.{short}.{name}")
        raise AttributeError(f"module 'symbackprop' has no attribute {name!r}")
