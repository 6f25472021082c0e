"""SVC, NuSVC, SVR and NuSVR, of scikit-learn and of ``svm``: support vector machines with kernels.

The estimators minimise, over functions f of the space of a kernel k and an intercept b, ::

    ||f||^2 / 2  +  C sum_i s_i l(y_i, f(x_i) + b)

with sample weights s, class weights included, and l(y, z) = max(0, 1 - y z) for classes y = -1 and
1, or max(0, |y - z| - epsilon) for numbers. NuSVC and NuSVR are the same machines with ``nu`` in
place of C or epsilon: the smallest share of samples that are support vectors. All these numbers are
tuned, and ``gamma`` and ``coef0`` of the kernels that have them; SVC and SVR of this package have a
``gamma`` for each feature, too.

Libsvm tells roughly which samples are support vectors. The solution is then made exact, and
differentiated, by the linear system of those that are strictly between their bounds. A kernel of
all rows serves all splits. More than two classes have a machine for each pair of classes, which
costs more than a grid: they are enumerated.
"""

import dataclasses

import numpy as np
from scipy.linalg import LinAlgError
from scipy.sparse import issparse
from sklearn import svm as sklearn_svm
from sklearn.base import clone
from sklearn.utils import compute_sample_weight

from sklearn_hypergrad import svm
from sklearn_hypergrad.adapters.base import (
    VECTOR_GAMMA,
    GammaPerFeature,
    Hyperparameter,
    KernelFamily,
    MarginFamily,
    RegressorFamily,
    family,
)
from sklearn_hypergrad.adapters.model import Fitted, Model
from sklearn_hypergrad.hypergradients import Pulled
from sklearn_hypergrad.hypergradients.base import Predicted
from sklearn_hypergrad.problems.kernel.machines import Machine
from sklearn_hypergrad.problems.kernel.pairwise_kernel import PairwiseKernel
from sklearn_hypergrad.problems.kernel.support_vectors import SupportVectors
from sklearn_hypergrad.problems.outer.held_out import held_out_rows
from sklearn_hypergrad.problems.split_data import variance_of_entries

# Rows of a training and a held-out part together: a kernel of so many takes 200 MB.
MAX_ROWS = 5000
# Where scans are centred: C and epsilon relative to the spread of targets that are numbers, gamma
# to the inverse spread of the data. Chosen by hand: the defaults of scikit-learn, but for gamma,
# which is that of kernel ridge regression.
LEVELS = {"C": 1.0, "epsilon": 0.1, "nu": 0.5, "gamma": 0.3, "coef0": 1.0}
# Factors from these at which a search without bounds ends. Measured for SVR: a search up to C=1000
# took 25 s where one up to 100 took 2 s, and found nothing better.
C_OF_CLASSES = Hyperparameter(regularizes=-1, farthest=1e4)
C_OF_NUMBERS = Hyperparameter(regularizes=-1, farthest=100.0)
EPSILON = Hyperparameter(farthest=1e3)
FARTHEST_GAMMA = 1e5
# A ``nu``; a smaller one that is listed is fitted as it is. Measured in 48 searches of it alone
# against 200 values: 5 are missed by more than one in ten thousand, the worst by 0.3 %, with 20
# evaluations; on the logit scale of other shares 2 are, the worst by 1.3 %, with 28.
SHARE = Hyperparameter(scale="linear", limits=(1e-3, 1.0), closed=True)
# Tolerance of libsvm where predictions are rough, of classes and of numbers in units of the
# targets, unless that of the estimator is larger. Measured for SVR: where libsvm is slow, 1e-2
# takes half as long as 1e-3.
ROUGH = {True: 1e-3, False: 1e-2}


@dataclasses.dataclass(frozen=True)
class MachinesStart(Predicted):
    """What starts other fits: the beta of every split, their C, and the steps of libsvm.

    Attributes
    ----------
    betas : list of ndarray of shape (n_rows,)
    C : float
    n_steps : list of int
    """

    betas: list
    C: float
    n_steps: list

    @property
    def size(self):
        return super().size + sum(beta.size for beta in self.betas)

    def at(self, C):
        """A start of every split for another C, to which bounds are proportional."""
        pairs = zip(self.betas, self.n_steps, strict=True)
        return [(C / self.C * beta, n_steps) for beta, n_steps in pairs]


class SupportVectorModel(Model):
    """A support vector machine of every split; splits share the kernel.

    Parameters
    ----------
    estimator : estimator
        With the hyperparameters that are not tuned.
    machine : Machine
    data : SplitData
    entries : dict of str -> ndarray or None
        The hyperparameters that are tuned, as for :meth:`Family.model`.
    gamma : float, ndarray or str
        That of the estimator, if it is not tuned.
    """

    shares_rows = True
    costs_a_fit = True
    # Losses have several minima, and kinks where a sample becomes a support vector.
    smooth = False

    def __init__(self, estimator, machine, data, entries, gamma):
        super().__init__(data)
        self._machine, self._names = machine, frozenset(entries)
        self._own = {name: float(getattr(estimator, name)) for name in machine.names}
        # A word means another number for each training part.
        self._word = gamma if isinstance(gamma, str) else None
        self._gammas = self._word and [gamma_of(gamma, data.X[train]) for train in data.trains]
        self._kernel = PairwiseKernel(
            estimator.kernel,
            data.X,
            gamma=1.0 if self._word else gamma,
            coef0=estimator.coef0,
            degree=estimator.degree,
            entries=entries.get("gamma"),
        )
        self._rows, self._splits = held_out_rows(data)
        self._y = np.ascontiguousarray(data.y[:, 0])
        self._unit, self._tol = machine.unit(self._y), estimator.tol
        # Rows that are held out weigh nothing, those that are drawn twice weigh as much as both.
        pairs = zip(data.trains, data.weights, strict=True)
        self._weights = [np.bincount(train, weight, len(self._y)) for train, weight in pairs]

    def levels(self):
        unit = self._unit
        units = {"C": unit, "epsilon": unit, "gamma": 1 / self._kernel.pairs.spread()}
        return {name: units.get(name, 1.0) * LEVELS[name] for name in self._names}

    def fit(self, h, start, tol):
        kernels = self._kernels(h)
        known = {name: float(h.get(name, own)) for name, own in self._own.items()}
        by_nu, C = self._machine.by_nu, known.get("C", 1.0)
        starts = [None] * self.n_splits if start is None or by_nu else start.at(C)
        parts = zip(kernels, self._weights, starts, strict=True)
        solved = [SupportVectors(self._machine, at.K, self._y, w, known, s) for at, w, s in parts]
        z = np.stack([each.z for each in solved], axis=1)[self._rows, self._splits]

        def pullback(g):
            gradient, *weights = self._pulled(kernels, solved, g)
            gradient |= _slopes(kernels, *weights, self._names - set(self._own))
            return Pulled({n: gradient[n] for n in self._names}, n_solves=self.n_splits)

        statuses = tuple(dict.fromkeys(each.status for each in solved))
        state = MachinesStart(
            z[:, None], [each.beta for each in solved], C, [each.n_steps for each in solved]
        )
        return Fitted(state.z, pullback, state, statuses, self.n_splits, (kernels, solved))

    def rough(self, h, start):
        kernels, C = self._kernels(h), float(h.get("C", self._own.get("C", 1.0)))
        known = {name: float(h.get(name, own)) for name, own in self._own.items()}
        tol = max(self._tol, ROUGH[self._machine.classifies] * self._unit)
        z, betas, steps = np.empty((len(self._y), self.n_splits)), [], []
        for number, (at, weight) in enumerate(zip(kernels, self._weights, strict=True)):
            try:
                beta, b, n_steps = self._machine.rough(at.K, self._y, weight, known, tol)
            except ValueError as error:
                raise LinAlgError(str(error)) from None
            z[:, number] = at.K @ beta + b
            betas.append(beta)
            steps.append(n_steps)
        state = MachinesStart(z[self._rows, self._splits][:, None], betas, C, steps)
        return Fitted(state.z, None, state, (), self.n_splits, (kernels, None))

    def x_vjp(self, h, fitted, g):
        kernels, solved = fitted.w
        _, A, B = self._pulled(kernels, solved, g)
        if not self._word:
            return kernels[0].x_vjp((A, B))
        X_bar = np.zeros(self.data.X.shape)
        for number, (at, train) in enumerate(zip(kernels, self.data.trains, strict=True)):
            own = A[:, [number]], B[:, [number]]
            X_bar += at.x_vjp(own)
            if self._word == "scale" and "gamma" in self._kernel.names:
                X = self.data.X[train]
                slopes = at.slopes(own, {"gamma"})["gamma"] * _scale_slopes(X)
                np.add.at(X_bar, train, slopes)
        return X_bar

    def _kernels(self, h):
        """The KernelMatrix of every split: one and the same, unless gamma is a word."""
        if not self._word:
            return [self._kernel.at(h)] * self.n_splits
        return [self._kernel.at({**h, "gamma": gamma}) for gamma in self._gammas]

    def _pulled(self, kernels, solved, g):
        """Derivatives in the machine's hyperparameters, A and B: those in K are ``A B'``."""
        G = np.zeros((len(self._y), self.n_splits))
        G[self._rows, self._splits] = g[:, 0]
        if self._word:
            KG = np.stack([at.K @ own for at, own in zip(kernels, G.T, strict=True)], axis=1)
        else:
            KG = kernels[0].K @ G
        pulled = [each.pull(*own) for each, *own in zip(solved, G.T, KG.T, strict=True)]
        gradient = {name: sum(own[name] for _, own in pulled) for name in self._own}
        A = np.stack([own for own, _ in pulled], axis=1)
        return gradient, A, np.stack([each.beta for each in solved], axis=1)


def _slopes(kernels, A, B, names):
    """Derivatives of ``sum A B' K`` in hyperparameters of the kernel."""
    if all(at is kernels[0] for at in kernels):
        return kernels[0].slopes((A, B), names)
    of_splits = [at.slopes((A[:, [n]], B[:, [n]]), names) for n, at in enumerate(kernels)]
    return {name: sum(own[name] for own in of_splits) for name in of_splits[0]}


def gamma_of(word, X):
    """The number that gamma="scale" or "auto" is for training rows X."""
    scale = X.shape[1] * (variance_of_entries(X) if word == "scale" else 1.0)
    return 1 / scale if scale else 1.0


def _scale_slopes(X):
    """Derivatives in X of ``1 / (n_features variance)``, of which it is 1 if X is constant."""
    centred = X.toarray() if issparse(X) else X
    centred = centred - centred.mean()
    return -2 * gamma_of("scale", X) / (variance_of_entries(X) or np.inf) / centred.size * centred


class SupportVectorFamily(KernelFamily):
    """What the families of all four machines share.

    Parameters
    ----------
    estimator : estimator

    Attributes
    ----------
    machine : Machine
    of_machine : dict of str -> Hyperparameter
        The hyperparameters besides those of the kernel.
    several : str
        Why several outputs are enumerated.
    """

    machine: Machine
    of_machine: dict
    several: str
    gamma = Hyperparameter(farthest=FARTHEST_GAMMA)

    def __init__(self, estimator):
        self.hyperparameters = self.of_machine | self.of_kernel(estimator)

    def own_value(self, estimator, name, data):
        own = getattr(estimator, name)
        return gamma_of(own, data.X) if name == "gamma" and isinstance(own, str) else own

    def model(self, estimator, data, entries, seed):
        n_rows, name = data.X.shape[0], type(estimator).__name__
        if n_rows > MAX_ROWS:
            raise ValueError(
                f"{name} is differentiated with a kernel of all pairs of rows, and {n_rows} rows "
                f"are too many: at most {MAX_ROWS}"
            )
        if data.y.shape[1] > 1:
            raise ValueError(self.several.format(n=data.y.shape[1], name=name))
        gamma = 1.0 if "gamma" in entries else self.own_gamma(estimator, data)
        return SupportVectorModel(estimator, self.machine, data, entries, gamma)

    # A word is another number for each split.
    def own_gamma(self, estimator, data):
        return estimator.gamma

    # Fits are cheap, and scorers that look at more than predictions get what a grid search gives.
    def install(self, estimator, model, fitted, h):
        (kernel, *_), _ = fitted.w
        settings, data = self.settings(h, kernel), model.data
        for train, weight in zip(data.trains, data.weights, strict=True):
            own = clone(estimator).set_params(**settings)
            yield self.fitted(own, data.X[train], data.labels[train], weight)

    def fitted(self, estimator, X, labels, weight):
        """The estimator after a fit, with weights that include those of classes."""
        return estimator.fit(X, labels, sample_weight=weight)


class ClassifierMachines(SupportVectorFamily, MarginFamily):
    """Families of SVC and NuSVC."""

    conditions = "any kernel with a name but ``'precomputed'``; two classes; at most 5,000 rows"
    several = (
        "y has {n} classes, and {name} fits a machine to every pair of classes: their gradients "
        "cost more than the fits of a grid"
    )

    def fitted(self, estimator, X, labels, weight):
        own = estimator.class_weight
        fitted = estimator.set_params(class_weight=None).fit(X, labels, sample_weight=weight)
        return fitted.set_params(class_weight=own)


class SVCFamily(ClassifierMachines):
    """``||f||^2 / 2 + C sum_i s_i max(0, 1 - y_i f(x_i))``."""

    estimator_class = sklearn_svm.SVC
    vector_class = svm.SVC
    machine = Machine(classifies=True, by_nu=False)
    of_machine = {"C": C_OF_CLASSES}

    def training_weight(self, estimator, labels, weight):
        if estimator.class_weight is None:
            return weight
        return weight * compute_sample_weight(estimator.class_weight, labels)


class NuSVCFamily(ClassifierMachines):
    """The same with nu; libsvm takes no weights of classes for it."""

    estimator_class = sklearn_svm.NuSVC
    machine = Machine(classifies=True, by_nu=True)
    of_machine = {"nu": dataclasses.replace(SHARE, regularizes=1)}


class RegressorMachines(SupportVectorFamily, RegressorFamily):
    """Families of SVR and NuSVR."""

    conditions = "any kernel with a name but ``'precomputed'``; at most 5,000 rows"
    several = "y has {n} columns, and {name} takes one"


class SVRFamily(RegressorMachines):
    """``||f||^2 / 2 + C sum_i s_i max(0, |y_i - f(x_i)| - epsilon)``."""

    estimator_class = sklearn_svm.SVR
    vector_class = svm.SVR
    machine = Machine(classifies=False, by_nu=False)
    of_machine = {"C": C_OF_NUMBERS, "epsilon": EPSILON}


class NuSVRFamily(RegressorMachines):
    """The same with nu in place of epsilon."""

    estimator_class = sklearn_svm.NuSVR
    machine = Machine(classifies=False, by_nu=True)
    of_machine = {"C": C_OF_NUMBERS, "nu": SHARE}


class VectorGamma(GammaPerFeature):
    """What the families of ``svm`` have besides."""

    gamma = dataclasses.replace(VECTOR_GAMMA, farthest=FARTHEST_GAMMA)


class VectorSVCFamily(VectorGamma, SVCFamily):
    """SVC of ``svm``."""

    estimator_class = svm.SVC


class VectorSVRFamily(VectorGamma, SVRFamily):
    """SVR of ``svm``."""

    estimator_class = svm.SVR


@family.register
def _(estimator: svm.SVC):
    return VectorSVCFamily(estimator)


@family.register
def _(estimator: svm.SVR):
    return VectorSVRFamily(estimator)


@family.register
def _(estimator: sklearn_svm.SVC):
    return SVCFamily(estimator)


@family.register
def _(estimator: sklearn_svm.NuSVC):
    return NuSVCFamily(estimator)


@family.register
def _(estimator: sklearn_svm.SVR):
    return SVRFamily(estimator)


@family.register
def _(estimator: sklearn_svm.NuSVR):
    return NuSVRFamily(estimator)
