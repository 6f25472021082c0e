"""Terms of an objective: a model with its outer loss, summed over splits."""

import numpy as np


class Term:
    """A model and the validation loss of its held-out rows.

    Parameters
    ----------
    model : Model
        See :class:`~sklearn_hypergrad.adapters.Model`.
    validation_loss : ValidationLoss or None
        None: the closed-form leave-one-out loss, of models that have one.
    """

    def __init__(self, model, validation_loss):
        self.model = model
        self.outer = model.outer(validation_loss)
        self.validation_loss = validation_loss

    @property
    def data(self):
        """The splits, as SplitData."""
        return self.model.data

    @property
    def n_splits(self):
        return self.data.n_splits

    @property
    def iterative(self):
        """Whether accuracy takes time."""
        return self.model.iterative

    def evaluate(self, h, start, tol, **options):
        """The Evaluation at some hyperparameters."""
        return self.model.evaluate(self.outer, h, start, tol, **options)

    def train(self, h, start, tol):
        """The Fitted at some hyperparameters, without a pullback."""
        return self.model.train(h, start, tol)

    def losses(self, fitted):
        """Validation losses of all splits."""
        return self.model.held_out(self.validation_loss)(fitted.z)[0]

    def path_losses(self, values):
        """Validation losses of all splits for many values, of shape (n_values, n_splits)."""
        held_out = self.model.held_out(self.validation_loss)
        return np.array([held_out(z)[0] for z in self.model.path(values)])

    def samples(self, fitted):
        """Loss of every held-out sample, split after split, and its weight."""
        return self.model.held_out(self.validation_loss).samples(fitted.z)


class ProblemTerm:
    """An inner problem and an outer function of its weights, without predictions.

    Parameters
    ----------
    problem : InnerProblem or Training
    outer : callable
        ``outer(w, h) -> (values, gradient in w, dict of direct gradients in h)``.
    method : Hypergradient
    """

    def __init__(self, problem, outer, method):
        self.problem, self.outer, self._method = problem, outer, method

    @property
    def iterative(self):
        """Whether accuracy takes time."""
        return getattr(self.problem, "iterative", True)

    def evaluate(self, h, start, tol, **options):
        """The Evaluation at some hyperparameters."""
        return self._method.evaluate(self.problem, self.outer, h, start, tol, **options)
