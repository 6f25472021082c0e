"""Hypergradients of functions: an inner loss and an outer loss, without scikit-learn."""

from collections.abc import Callable
from typing import Any

import numpy as np

from sklearn_hypergrad import hypergradients
from sklearn_hypergrad.problems import AutogradLoss, AutogradProblem
from sklearn_hypergrad.spaces import flattened, nested
from sklearn_hypergrad.training import Training


def hypergradient(
    inner: Any,
    outer: Callable,
    h: dict[str, Any],
    start: Any = None,
    *,
    method: Any = None,
    tol: float = 1e-8,
    warm_start: Any = None,
    backend: str = "auto",
):
    """Differentiate ``outer(w*(h), h)``, where ``w*(h)`` minimises ``inner(w, h)``.

    Both are written with autograd.numpy or with jax.numpy. The hypergradient is that of implicit
    differentiation [1]_. With a method that differentiates training, ``w*(h)`` are the last weights
    of a training run: gradient descent with momentum, or the given Training.

    Parameters
    ----------
    inner : callable, AutogradProblem or Training
        ``inner(w, h)``, one number. An AutogradProblem may have closed forms of derivatives; the
        Training of an AutogradTraining defines the batches and the dynamics of training.
    outer : callable
        ``outer(w, h)``, one number, or an array of shape (n_splits,).
    h : dict of str -> float, ndarray, or dict and list of these
        Hyperparameters, in natural units; nested to any depth.
    start : nested structure, default=None
        Initial weights: dicts, lists and tuples of arrays and floats, nested to any depth;
        ``inner`` and ``outer`` take weights of the same structure. A problem or Training has its
        own start.
    method : Hypergradient, default=None
        How ``w*(h)`` is differentiated. None is Implicit().
    tol : float, default=1e-8
        Norm of the gradient of the inner loss at the solution, relative to that at the start; and
        relative residual of the linear system of the hypergradient. The default keeps about eight
        digits, at the price of one or two more Newton steps. Ignored if a training run is
        differentiated.
    warm_start : WarmStart, default=None
        The ``warm_start`` of an evaluation for other hyperparameters.
    backend : {"auto", "autograd", "jax"}, default="auto"
        What the losses are written with. "auto" finds out for each at its first call, so that they
        may differ. A problem or Training has its own backend, and this is that of ``outer``.

    Returns
    -------
    Evaluation
        ``values`` of shape (n_splits,), the ``gradient`` of their sum, shaped like ``h``, and
        ``statuses``, whose values are remedies if something did not converge. Its ``w`` are the
        weights, nested.

    Raises
    ------
    TypeError
        If a loss is written neither with autograd.numpy nor with jax.numpy, or not with what
        ``backend`` says; if JAX cannot compile it; if there is no start, ``h`` is not a dict of
        numbers, ``method`` is not a Hypergradient, or a Training is to be differentiated
        implicitly.
    ValueError
        If a loss is not one number, or not finite at the start, or ``h`` is not finite, or the
        backend is unknown.

    References
    ----------
    .. [1] Lorraine, Vicol, Duvenaud, "Optimizing Millions of Hyperparameters by Implicit
       Differentiation", AISTATS 2020, equations 2 and 3.

    Examples
    --------
    >>> import autograd.numpy as np
    >>> from sklearn_hypergrad.hypergradients import hypergradient
    >>> evaluation = hypergradient(
    ...     lambda w, h: np.sum((w - 3.0) ** 2) + h["alpha"] * np.sum(w**2),
    ...     lambda w, h: np.sum((w - 1.0) ** 2),
    ...     {"alpha": 1.0},
    ...     start=np.zeros(2),
    ... )
    >>> evaluation.w, round(float(evaluation.gradient["alpha"]), 6)
    (array([1.5, 1.5]), -1.5)
    """
    method = hypergradients.Implicit() if method is None else method
    if isinstance(method, hypergradients.OnlineHypergradient):
        raise TypeError(
            f"{method!r} has no single evaluation: it moves hyperparameters while training runs. "
            f"Begin a session with its method begin(training, h, n_outer)."
        )
    if not isinstance(method, hypergradients.Hypergradient):
        raise TypeError(f"method must be None or such as Implicit() or Reverse(), got {method!r}.")
    h = numbers_of(h)
    problem = inner if start is None else AutogradProblem(inner, start, backend=backend)
    check_trains(problem, method)
    structure = structure_of(problem)
    if structure is None:
        raise TypeError(f"A start is needed beside the inner loss {problem!r}.")
    outer = AutogradLoss(outer, structure, backend=backend)
    evaluation = method.evaluate(problem, outer, h, warm_start, tol)
    return evaluation.reshaped(nested(evaluation.gradient), structure.unflatten(evaluation.w))


def numbers_of(h):
    """Nested hyperparameters as a flat dict of arrays and numbers, after a check of these."""
    h = flattened(h)
    for name, value in h.items():
        kind = np.asarray(value).dtype.kind
        if kind not in "biuf":
            raise TypeError(f"h[{name!r}] must be a number or an array of numbers, got {value!r}.")
        if not np.isfinite(value).all():
            raise ValueError(f"h[{name!r}] must be finite, got {value!r}.")
    return h


def check_trains(problem, method):
    """Raise TypeError if a Training is to be differentiated at a minimum."""
    if isinstance(problem, Training) and not method.through_training:
        raise TypeError(
            f"{method!r} differentiates a loss at its minimum, and a Training need not end in "
            f"one. Use Reverse(), or give the loss and a start."
        )


def structure_of(problem):
    """The Nested of the weights of a problem or Training; None if they are one array."""
    problem = problem.problem if isinstance(problem, Training) else problem
    return getattr(problem, "structure", None)
