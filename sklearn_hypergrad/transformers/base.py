"""The contract of transformers: what the search must know about a step before the model.

A transformer of a class that is registered here may be tuned like a model. Its family states its
hyperparameters ``h`` and makes the ``Features`` of one split: a function from ``h`` and the rows X
that enter the step to the rows that leave it, with derivatives in both. For a loss whose derivative
in the rows that leave is G, the hypergradient is ::

    dL/dh = sum_ij G_ij dX'_ij/dh        and        dL/dX = sum_ij G_ij dX'_ij/dX

where the second one goes on to the step before. Training rows stand before held-out ones.
``transformer(estimator)`` returns the registered family.
"""

import abc
import dataclasses
import functools
import numbers
import zlib
from collections.abc import Callable
from typing import Any

from sklearn.base import clone

from sklearn_hypergrad._sklearn import num_samples, overridden, rows_of
from sklearn_hypergrad.spaces import Hyperparameter
from sklearn_hypergrad.spaces.continuous import plain


@dataclasses.dataclass(frozen=True)
class Rows:
    """The rows of one split that enter a step.

    Attributes
    ----------
    X : array-like of shape (n_rows, n_features)
        Rows of the training part, followed by those of the held-out part. A matrix of numbers, or
        what the user gave: a data frame, an array of objects or a list.
    n_train : int
        Rows of the training part.
    y : ndarray of shape (n_train, ...)
        Targets of the training part, as the user gave them.
    moving : bool
        Whether X depends on hyperparameters of an earlier step.
    """

    X: Any
    n_train: int
    y: Any
    moving: bool = False

    @property
    def train(self):
        """The rows of the training part."""
        return rows_of(self.X, slice(0, self.n_train))

    @property
    def held_out(self):
        """The rows of the held-out part, or None if there are none."""
        n_rows = num_samples(self.X)
        return rows_of(self.X, slice(self.n_train, n_rows)) if n_rows > self.n_train else None

    def fitted(self, estimator, seed):
        """A copy of a transformer, fitted on the training part; it draws from ``seed``."""
        return seeded(estimator, seed).fit(self.train, self.y)


@dataclasses.dataclass(frozen=True)
class Transformed:
    """The rows that leave a step.

    Attributes
    ----------
    X : ndarray or CSR matrix of shape (n_rows, n_features_out)
    pull : callable
        ``pull(G, through) -> (gradient, X_bar)``, for G of the shape of ``X[:, columns]``:
        derivatives of ``sum_ij G_ij X_ij`` in the hyperparameters, a dict, and in the rows that
        enter the step if ``through`` is true, else None.
    columns : ndarray of int or slice
        The columns that depend on hyperparameters or on the rows that enter; by default all.
    """

    X: Any
    pull: Callable
    columns: Any = dataclasses.field(default_factory=functools.partial(slice, None))


class Features(abc.ABC):
    """The rows that leave a step, as a function of its hyperparameters and of the rows before."""

    def levels(self):
        """Centres of a scan without bounds: a dict from hyperparameters to floats.

        Where one that is tuned has none, the search starts from the values of the estimator.
        """
        return {}

    def usual(self):
        """Values of what is tuned at which the steps behind it are made; by default levels."""
        return self.levels()

    def limits(self):
        """What the rows allow: a dict from hyperparameters to ``(low, high)``.

        Those that are left out have the limits of the family.
        """
        return {}

    @abc.abstractmethod
    def at(self, h, X):
        """The rows at one setting.

        Parameters
        ----------
        h : dict
            Hyperparameters of this step in natural units.
        X : array-like of shape (n_rows, n_features)
            The rows that enter the step there, in the order of its Rows.

        Returns
        -------
        Transformed
        """


class TransformerFamily(abc.ABC):
    """Transformers that are tuned in the same way.

    Attributes
    ----------
    estimator_class : type
        The class whose ``fit`` and ``transform`` are differentiated. A subclass that overrides one
        of ``methods`` is another transformer.
    vector_class : type or None
        The class that supports one value per feature, if this one does not; for messages.
    hyperparameters : dict of str -> Hyperparameter
        The hyperparameters that can be tuned, by the names of constructor parameters.
    methods : tuple of str
        Methods that subclasses must not override.
    takes_numbers : bool
        Whether its rows are matrices of numbers. If not, they reach it as the user gave them.
    through : bool
        Whether it has derivatives in the rows that enter it.
    conditions : str
        For the table of the documentation, in its markup: which configurations are searched, or
        not. The default, nothing, means all of them.
    enumerated : dict of str -> str
        Other continuous parameters, and why they are enumerated: a predicate, of which the
        parameter is the subject.
    """

    estimator_class: type
    vector_class: type | None = None
    hyperparameters: dict[str, Hyperparameter] = {}
    methods = ("fit", "fit_transform", "transform")
    takes_numbers = True
    through = True
    conditions = ""
    enumerated: dict[str, str] = {}

    def obstacle(self, estimator, names, moving):
        """Why this configuration cannot be differentiated, or None.

        Subclasses define ``configuration_obstacle``; this method also checks overridden methods.

        Parameters
        ----------
        estimator : estimator
        names : collection of str
            The hyperparameters that are tuned.
        moving : bool
            Whether the rows that enter it depend on hyperparameters.

        Returns
        -------
        str or None
            A clause for "This is because ...", without a full stop.
        """
        changed = overridden(estimator, self.estimator_class, self.methods)
        if changed is None and moving and not self.through:
            return no_derivative(estimator)
        return changed or self.configuration_obstacle(estimator, names, moving)

    def configuration_obstacle(self, estimator, names, moving):
        """Why these parameters cannot be differentiated, or None; a clause as for ``obstacle``."""
        return None

    def unused(self, estimator, name):
        """Why a hyperparameter has no effect in this configuration, or None."""
        return None

    def own_value(self, estimator, name, X):
        """The own value for rows X: a number also where the estimator has a word or None for it."""
        return getattr(estimator, name)

    def shape(self, estimator, name, per, X):
        """Shape of a hyperparameter that is searched from the estimator's own value.

        Parameters
        ----------
        estimator : estimator
        name : str
        per : str, tuple of str or None
            The ``per`` of its Continuous.
        X : array-like of shape (n_rows, n_features)
            The rows that enter the first step.

        Returns
        -------
        tuple of int
            ``()`` for one value.

        Raises
        ------
        ValueError
            If nothing is known of this ``per``.
        """
        if per not in (None, "feature"):
            raise ValueError(
                f"A search from own values knows no {per!r} for {name} of "
                f"{type(estimator).__name__}. Give it one value, or one per feature."
            )
        return () if per is None else (X.shape[1],)

    def entry_names(self, name):
        """Names of the entries of a vector whose length follows from the estimator; else ()."""
        return ()

    def parameter(self, name, value):
        """A hyperparameter as ``set_params`` takes it: a float or a new array."""
        return plain(value)

    def class_with_vectors(self, name):
        """The class with one value per feature of a hyperparameter, if this one has none; None."""
        return self.vector_class

    @abc.abstractmethod
    def features(self, estimator, rows, entries, seed):
        """The Features of one split.

        Parameters
        ----------
        estimator : estimator
            With the hyperparameters that are not tuned.
        rows : Rows
            The rows that enter it, where ``moving`` at usual values of earlier hyperparameters.
        entries : dict of str -> ndarray or None
            The hyperparameters that are tuned, by name; ``at`` gets values for them. For a vector,
            the index of the entry that belongs to each feature; None for one value.
        seed : int
            Seed of random draws of a fit without a seed of its own.

        Returns
        -------
        Features

        Raises
        ------
        TypeError, ValueError
            If the data do not suit the transformer; the values are then enumerated.
        """


@functools.singledispatch
def transformer(estimator) -> Any:
    """The TransformerFamily of an estimator, or None; it dispatches on the class.

    Register a transformer of your own with ``@transformer.register`` on a function whose argument
    is annotated with the class, and which returns its family.
    """
    return None


def no_derivative(estimator):
    """A clause for a step whose rows move and which cannot say what becomes of it."""
    return (
        f"{type(estimator).__name__} stands behind a step that is tuned, and has no derivatives in "
        f"the rows that enter it: put it before that step"
    )


def seeded(estimator, seed):
    """A clone that draws from ``seed`` where it has no seed of its own; its parts from others."""
    copy, draws = clone(estimator), {}
    for name, value in copy.get_params().items():
        *path, leaf = name.split("__")
        if leaf == "random_state" and not isinstance(value, numbers.Integral):
            draws[name] = functools.reduce(seed_in, path, seed)
    return copy.set_params(**draws)


def seed_in(seed, name):
    """The seed of a step of this name: two steps that draw alike would be one step twice."""
    return zlib.crc32(f"{seed} {name}".encode())
