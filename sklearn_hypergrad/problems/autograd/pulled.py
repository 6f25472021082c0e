"""Functions whose values are arrays, as losses: pulled back along a constant array."""

import dataclasses
from collections.abc import Callable

from sklearn_hypergrad.problems.autograd.backends import numpy_of
from sklearn_hypergrad.problems.autograd.identity import identity_of


@dataclasses.dataclass(frozen=True)
class Pulled:
    """A function of weights, hyperparameters and data times a constant array, summed.

    Its gradient is that array times the derivatives of the function.

    Attributes
    ----------
    function : callable
        ``function(w, h, *data)``, an array or a number.
    """

    function: Callable

    @property
    def defaults(self):
        """Hyperparameters that the function has values for."""
        return getattr(self.function, "defaults", {})

    def __call__(self, w, h, g, *data):
        z = self.function(w, h, *data)
        return numpy_of(z).sum(g * z)

    def compile_key(self):
        """It is what its function is."""
        return "pulled", identity_of(self.function)

    def to_trace(self):
        """The same of what is traced in the place of the function."""
        return Pulled(getattr(self.function, "to_trace", lambda: self.function)())
