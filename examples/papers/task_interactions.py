"""Which classes belong together, learned from five images of each (Table 2).

Franceschi, Donini, Frasconi, Pontil, "Forward and Reverse Gradient-Based Hyperparameter
Optimization", ICML 2017, section 5.2: a linear softmax model is trained on few images per class.
Its penalty has an interaction for each pair of classes, and a strength rho:

    sum over pairs j < k of C_jk |w_j - w_k|^2  +  rho times the sum over k of |w_k|^2

Compared are four ways to tune them on as many other images. "Single task" (STL): no interactions,
but a rho for each class. "Naive" (NMTL): the same interaction for all pairs. "Learned" (HMTL): one
for each pair. "Learned, few" (HMTL-S): the same with a cost on their sum, against spurious ones.

In the paper (quoted, approximate) classes are those of CIFAR-10 and CIFAR-100, and features those
of an Inception network. Here they are the ten digits in two styles, as they are and in bold type:
20 classes, of which pairs belong together, and 190 interactions. Features are 100 principal
components. Interactions move on a logarithmic scale, for five steps of L-BFGS: with more, they fit
the hundred validation images too well. Steps, cost and style were chosen on other images.

With a softmax, weights sum to zero over classes, so that one interaction for all pairs is a common
rho once more. "Naive" can thus not differ from "single task" with one rho for all, but "single
task" as above may.

    python examples/papers/task_interactions.py --data DIR    (about a minute)
"""

import dataclasses
import itertools
import time

import autograd.numpy as np
import common
import numpy
from autograd.scipy.special import logsumexp
from matplotlib.figure import Figure
from scipy.ndimage import grey_dilation
from scipy.special import softmax
from sklearn.decomposition import PCA

from sklearn_hypergrad.problems import AutogradProblem
from sklearn_hypergrad.tuning import tune

N_CLASSES = 2 * common.N_CLASSES
PAIRS = numpy.triu_indices(N_CLASSES, 1)
N_PAIRS = len(PAIRS[0])
# Whether both classes of a pair are the same digit.
SAME_DIGIT = PAIRS[1] - PAIRS[0] == common.N_CLASSES
# Rows are differences of two classes.
DIFFERENCES = numpy.eye(N_CLASSES)[PAIRS[0]] - numpy.eye(N_CLASSES)[PAIRS[1]]
# Accuracy of weights: 1e-8 changes hypergradients by less than 1e-4 of themselves.
INNER_TOL = 1e-6
# All strengths begin here, and stay within bounds. Chosen by hand.
START, BOUNDS = 1e-3, (1e-7, 10.0)
# Of the sum of interactions, in units of the validation loss.
COST = 0.1
STARTS = {
    "single task": {"rho": numpy.full(N_CLASSES, START)},
    "single task, one rho": {"rho": START},
    "naive": {"rho": START, "C": START},
    "learned": {"rho": START, "C": numpy.full(N_PAIRS, START)},
    "learned, few": {"rho": START, "C": numpy.full(N_PAIRS, START)},
}
# Accuracies of CIFAR-10 and CIFAR-100.
RECORDED = {
    "single task": (67.47, 18.99),
    "naive": (69.41, 19.19),
    "learned": (70.85, 21.15),
    "learned, few": (71.62, 22.09),
}
# A pixel of bold type is the largest of itself and the four around it.
CROSS = [[[False, True, False], [True, True, True], [False, True, False]]]


@dataclasses.dataclass(frozen=True)
class Setup:
    n_images: int = 10000
    n_features: int = 100
    n_splits: int = 20
    # Images of a class for training, and as many for validation.
    n_each: int = 5
    n_outer: int = 5


QUICK = Setup(1797, 20, 3, 2)


@dataclasses.dataclass(frozen=True)
class Result:
    """What was found on one split: percent of test images, interactions, and seconds."""

    accuracy: float
    C: numpy.ndarray
    n_evaluations: int
    seconds: float
    seconds_of_training: float


def main():
    """Tune all kinds of penalties on every split, save a figure and a table."""
    options = common.parser(__doc__).parse_args()
    setup = QUICK if options.quick else Setup()
    X, y = in_two_styles(common.images(options), setup)
    results = []
    for seed in range(setup.n_splits):
        parts = split(X, y, setup.n_each, seed)
        results.append({name: tuned(name, setup.n_outer, *parts) for name in STARTS})
        accuracies = {name: result.accuracy for name, result in results[-1].items()}
        common.report(seed, accuracies)
    accuracies = {name: of_all(results, name, "accuracy") for name in STARTS}
    rows = rows_of_accuracies(accuracies)
    rows += rows_of_interactions(results) + rows_of_costs(results)
    common.save(options, "task_interactions", draw(results, accuracies), rows)
    print(conclusion(results, accuracies))


def in_two_styles(data, setup):
    """Features and classes; every second image is in bold type, and of another class."""
    X, Y = data.block(0, setup.n_images, centred=False)
    side, bold = int(X.shape[1] ** 0.5), numpy.arange(len(X)) % 2
    images = X.reshape(-1, side, side)
    images[bold == 1] = grey_dilation(images[bold == 1], footprint=CROSS)
    reduced = PCA(setup.n_features, svd_solver="covariance_eigh").fit_transform(X)
    return reduced / reduced.std(), Y.argmax(axis=1) + common.N_CLASSES * bold


def split(X, y, n_each, seed):
    """Training, validation and test images: features and one-hot classes."""
    order = numpy.random.default_rng(seed).permutation(len(y))
    classes = [order[y[order] == label] for label in range(N_CLASSES)]
    ends = (0, n_each), (n_each, 2 * n_each), (2 * n_each, None)
    parts = [numpy.concatenate([rows[slice(*end)] for rows in classes]) for end in ends]
    return [(X[rows], numpy.eye(N_CLASSES)[y[rows]]) for rows in parts]


def tuned(name, n_outer, train, valid, test):
    """The Result of one kind of penalties on one split."""
    problem, h = problem_of(*train), STARTS[name]
    cost = COST if name == "learned, few" else 0.0

    def outer(v, h):
        return cross_entropy(outputs(v, h, valid[0]), valid[1]) + cost * np.sum(interactions(h))

    begin = time.process_time()
    bounds = dict.fromkeys(h, BOUNDS)
    found = tune(problem, outer, h, bounds=bounds, n_outer=n_outer, inner_tol=INNER_TOL)
    seconds = time.process_time() - begin
    begin = time.process_time()
    problem.solve(found.h, None, INNER_TOL)
    seconds_of_training = time.process_time() - begin
    right = outputs(found.w, found.h, test[0]).argmax(axis=1) == test[1].argmax(axis=1)
    return Result(
        100 * right.mean(), interactions(found.h), len(found.values), seconds, seconds_of_training
    )


def problem_of(X, Y):
    """The training loss and its penalty, in coordinates v of the weights where that is |v|^2.

    In these, systems with the Hessian take a third of the iterations.
    """

    def loss(v, h):
        return cross_entropy(outputs(v, h, X), Y) + np.sum(v["coef"] ** 2)

    start = {"coef": numpy.zeros((X.shape[1], N_CLASSES)), "bias": numpy.zeros(N_CLASSES)}
    return AutogradProblem(loss, start, hvp=Curvature(X))


class Curvature:
    """Products with the Hessian in closed form, which is faster than what autograd derives."""

    def __init__(self, X):
        self._X = X

    def __call__(self, v, h, u):
        return self.at(v, h)(u)

    def at(self, v, h):
        """The product as a function of u."""
        X, inverse, P = self._X, inverse_root(h), softmax(outputs(v, h, self._X), axis=1)

        def product(u):
            change = P * (X @ u["coef"] @ inverse + u["bias"])
            change = (change - P * change.sum(axis=1, keepdims=True)) / len(X)
            return {"coef": X.T @ change @ inverse.T + 2 * u["coef"], "bias": change.sum(axis=0)}

        return product


def outputs(v, h, X):
    """Of all classes; the weights are W = v L^-1."""
    return np.dot(X, np.dot(v["coef"], inverse_root(h))) + v["bias"]


def inverse_root(h):
    """Inverse of L in M = L L', the matrix for which the penalty is the trace of W M W'."""
    M = np.dot(DIFFERENCES.T * interactions(h), DIFFERENCES) + h["rho"] * numpy.eye(N_CLASSES)
    return np.linalg.inv(np.linalg.cholesky(M))


def interactions(h):
    """One for each pair."""
    return h.get("C", 0.0) * numpy.ones(N_PAIRS)


def cross_entropy(z, Y):
    return np.mean(logsumexp(z, axis=1) - np.sum(Y * z, axis=1))


def of_all(results, name, what):
    """One number of the results of all splits."""
    return numpy.array([getattr(result[name], what) for result in results])


def with_error(numbers, form=".2f"):
    """Mean and standard error."""
    error = numbers.std(ddof=1) / len(numbers) ** 0.5
    return f"{numbers.mean():{form}} +- {error:.2f}"


def rows_of_accuracies(accuracies):
    """Percent of the test images, and differences on the same splits."""
    rows = []
    for name, numbers in accuracies.items():
        recorded = ", ".join(f"{number:.2f}" for number in RECORDED.get(name, ()))
        rows.append((f"{name}: test accuracy", recorded, with_error(numbers)))
    for first, second in itertools.pairwise(RECORDED):
        pairs = zip(RECORDED[first], RECORDED[second], strict=True)
        recorded = ", ".join(f"{after - before:+.2f}" for before, after in pairs)
        here = with_error(accuracies[second] - accuracies[first], "+.2f")
        rows.append((f"{second} against {first}", recorded, here))
    return rows


def rows_of_interactions(results):
    """Whether those between two styles of a digit are found."""
    C = of_all(results, "learned", "C")
    strongest = numpy.argsort(C, axis=1)[:, -common.N_CLASSES :]
    n_found, logs = SAME_DIGIT[strongest].sum(axis=1), numpy.log(C)
    ratio = numpy.exp(logs[:, SAME_DIGIT].mean() - logs[:, ~SAME_DIGIT].mean())
    title = f"learned: pairs of one digit among the {common.N_CLASSES} strongest of {N_PAIRS}"
    rows = [
        (title, "", with_error(n_found)),
        ("learned: interaction within a digit, over others (geometric means)", "", f"{ratio:.0f}"),
    ]
    for name in ("learned", "learned, few"):
        sums = "{:.3f}, {:.3f}".format(*sums_of(results, name))
        rows.append((f"{name}: sum of interactions within digits, of others (medians)", "", sums))
    return rows


def sums_of(results, name):
    """Of interactions within digits, and of others: medians over splits."""
    C = of_all(results, name, "C")
    return [numpy.median(C[:, which].sum(axis=1)) for which in (SAME_DIGIT, ~SAME_DIGIT)]


def rows_of_costs(results):
    """Evaluations, and what one takes."""
    rows = []
    for name in STARTS:
        n_evaluations, seconds, of_training = (
            of_all(results, name, what).sum()
            for what in ("n_evaluations", "seconds", "seconds_of_training")
        )
        cost = seconds / of_training
        each = f"{1e3 * seconds / n_evaluations:.0f} ms"
        here = f"{n_evaluations / len(results):.1f}, {each}, {cost:.1f}"
        rows.append((f"{name}: evaluations, time of each, cost in trainings", "", here))
    return rows


def conclusion(results, accuracies):
    """What the numbers say."""
    gain = with_error(accuracies["learned"] - accuracies["naive"], "+.2f")
    more = with_error(accuracies["learned, few"] - accuracies["learned"], "+.2f")
    sums = zip(*(sums_of(results, name) for name in ("learned", "learned, few")), strict=True)
    within, others = (free / few for free, few in sums)
    return (
        f"One interaction for each pair instead of one for all: {gain} points. A cost on their "
        f"sum:\n{more} points. It divides the sum within digits by {within:.1f}, that of others by "
        f"{others:.1f}."
    )


def draw(results, accuracies):
    """Accuracies of all splits, and the interactions that were learned."""
    figure = Figure(figsize=(11, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    names = list(accuracies)
    left.plot(names, numpy.array(list(accuracies.values())), color="gray", lw=0.7)
    means = [numbers.mean() for numbers in accuracies.values()]
    errors = [n.std(ddof=1) / len(n) ** 0.5 for n in accuracies.values()]
    left.errorbar(names, means, errors, fmt="o", color="C0", capsize=4)
    left.tick_params("x", rotation=20)
    left.set(title="Test accuracy; lines are splits", ylabel="percent")
    logs = numpy.log10(of_all(results, "learned", "C")).mean(axis=0)
    matrix = numpy.full((N_CLASSES, N_CLASSES), numpy.nan)
    matrix[PAIRS] = matrix[PAIRS[::-1]] = logs
    shown = right.imshow(matrix)
    figure.colorbar(shown, label="mean log10 of the interaction")
    right.set(title="Learned; 10 to 19 are 0 to 9 in bold type", xlabel="class", ylabel="class")
    return figure


if __name__ == "__main__":
    main()
