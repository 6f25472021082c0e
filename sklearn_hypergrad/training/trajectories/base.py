"""What trajectories give back."""

import abc
import dataclasses

from sklearn_hypergrad.problems import Linearization
from sklearn_hypergrad.training.dynamics import State


@dataclasses.dataclass(frozen=True)
class Step:
    """One step of a training run.

    Attributes
    ----------
    t : int
    before, after : State
    linearization : Linearization
        Of the training loss at ``before``.
    rates : dict
        Hyperparameters of the dynamics as they were used, each a float or one value per weight.
    """

    t: int
    before: State
    after: State
    linearization: Linearization
    rates: dict


class Trajectory(abc.ABC):
    """A training run from a state, trained when it is made.

    Attributes
    ----------
    final : State
        After the last step.
    nbytes : int
        Most that was held at a time for the way back.
    n_gradients : int
        Gradients of batches so far; the caller's products with second derivatives come on top.
    """

    final: State
    nbytes: int
    n_gradients: int

    @abc.abstractmethod
    def backwards(self):
        """The Steps from the last to the first; once only."""
