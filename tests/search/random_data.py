"""Random small data: shapes, containers, units, columns and targets that are hard in some way."""

import dataclasses

import numpy as np
from scipy import sparse

CLASSES = {"binary": 2, "multiclass": 3}
CITIES = np.array(["Bern", "Lyon", "Oslo", "Rome", "Wien"])


@dataclasses.dataclass
class Data:
    """Data of one case; ``said`` describes what is unusual about them."""

    X: object
    y: np.ndarray
    said: list
    sample_weight: np.ndarray | None = None
    groups: np.ndarray | None = None
    mixed: bool = False


def chance(rng, probability):
    return rng.uniform() < probability


def pick(rng, values, weights=None):
    """One of the values, as it is; weights need not sum to one."""
    p = None if weights is None else np.asarray(weights) / np.sum(weights)
    return values[rng.choice(len(values), p=p)]


def draw_data(rng, task, *, counts=False):
    """Data for a task: "regression", "outputs", "positive", "binary" or "multiclass".

    X may be limited to whole numbers from 0 to 9.
    """
    n_rows = int(np.exp(rng.uniform(np.log(12), np.log(120))))
    n_features = pick(rng, [1, 2, 3, 4, 6, 10, 40], [1, 3, 4, 4, 4, 3, 1])
    said = []
    X = _features(rng, n_rows, n_features, said)
    y = _targets(rng, task, X, said)
    X = _scaled(rng, X, said)
    X = np.clip(np.floor(3 * np.abs(X)), 0, 9) if counts else X
    X, mixed = _contained(rng, X, said)
    if hasattr(X, "columns") and y.ndim == 1 and chance(rng, 0.5):
        y = type(X[X.columns[0]])(y, index=X.index)
        said.append("y is a series")
    data = Data(X, y, [f"X {n_rows} x {n_features}, {task}", *said], mixed=mixed)
    if chance(rng, 0.2):
        data.sample_weight = _weights(rng, n_rows, data.said)
    data.groups = rng.integers(pick(rng, [3, 4]), size=n_rows)
    return data


def _features(rng, n_rows, n_features, said):
    X = rng.normal(size=(n_rows, n_features))
    quirks = {
        "thin": lambda: X * (rng.uniform(size=X.shape) < 0.3),
        "rank two": lambda: X[:, :2] @ rng.normal(size=(min(n_features, 2), n_features)),
        "correlated": lambda: X + 3 * X[:, :1],
        "counts": lambda: np.floor(3 * np.abs(X)),
    }
    if chance(rng, 0.3):
        name = pick(rng, list(quirks))
        said.append(name)
        X = quirks[name]()
    return X


def _scaled(rng, X, said):
    """Columns that are constant, duplicated or badly scaled, and units of all of X."""
    X, column = X.copy(), int(rng.integers(X.shape[1]))
    if chance(rng, 0.1):
        said.append("a constant column")
        X[:, column] = pick(rng, [0.0, 1.0, 1e5])
    if chance(rng, 0.1) and X.shape[1] > 1:
        said.append("a duplicated column")
        X[:, column - 1] = X[:, column]
    if chance(rng, 0.1):
        said.append("badly scaled columns")
        X = X * 10 ** rng.uniform(-5, 5, size=X.shape[1])
    if chance(rng, 0.15):
        unit = pick(rng, [1e-8, 1e-4, 1e4, 1e8])
        said.append(f"X in units of {unit:g}")
        X = X * unit
    if chance(rng, 0.05):
        said.append("X far from zero")
        X = X + 1e4 * np.abs(X).max()
    if chance(rng, 0.01):
        said.append("nan in X")
        X[0, column] = np.nan
    return X


def _contained(rng, X, said):
    """``(X in a container, whether it is a frame with a column of text)``."""
    form = pick(
        rng,
        ["dense", "sparse", "frame", "mixed", "float32", "fortran", "lists", "integers"],
        [12, 3, 2, 1, 1, 1, 1, 1],
    )
    if form == "dense":
        return X, False
    said.append(form)
    if form == "sparse":
        kind = pick(rng, [sparse.csr_array, sparse.csc_array, sparse.coo_matrix])
        return kind(X * (rng.uniform(size=X.shape) < 0.5)), False
    if form in ("frame", "mixed"):
        return _frame(rng, X, mixed=form == "mixed"), form == "mixed"
    plain = {
        "float32": lambda: X.astype(np.float32),
        "fortran": lambda: np.asfortranarray(X),
        "lists": lambda: X.tolist(),
        "integers": lambda: np.round(np.clip(np.nan_to_num(X) * 3, -1e9, 1e9)).astype(int),
    }
    return plain[form](), False


def _frame(rng, X, *, mixed):
    import pandas

    frame = pandas.DataFrame(X, columns=[f"x{j}" for j in range(X.shape[1])])
    frame.index = rng.permutation(len(frame)) + 100
    if mixed:
        # The last city is rare: some training parts lack it.
        odds = np.array([4, 4, 4, 4, 0.3])
        frame["city"] = rng.choice(CITIES, size=len(frame), p=odds / odds.sum())
    return frame


def _targets(rng, task, X, said):
    signal = X @ rng.normal(size=X.shape[1]) / np.sqrt(X.shape[1])
    noise = pick(rng, [0.0, 0.3, 1.0, 3.0, np.inf], [1, 4, 4, 2, 1])
    if noise in (0, np.inf):
        said.append("no noise" if noise == 0 else "no signal")
    draws = rng.normal(size=len(X))
    z = draws if noise == np.inf else signal + noise * draws
    if task in CLASSES:
        return _labels(rng, z, CLASSES[task], said)
    if task == "positive":
        return _positive(rng, z, said)
    if task == "outputs":
        z = np.column_stack([z, 10 * rng.normal(size=len(X)) + signal])
    return _real(rng, z, said)


def _real(rng, y, said):
    if chance(rng, 0.15):
        unit = pick(rng, [1e-10, 1e-5, 1e5, 1e10])
        said.append(f"y in units of {unit:g}")
        y = y * unit
    quirk = pick(rng, ["", "constant", "integer", "far", "outlier", "sorted"], [30, 1, 2, 2, 2, 1])
    said += [f"{quirk} y"] * bool(quirk)
    if quirk == "constant":
        y = np.full_like(y, y.flat[0])
    if quirk == "integer":
        y = np.round(np.clip(y, -1e9, 1e9)).astype(int)
    if quirk == "far":
        y = y + 1e4 * np.abs(y).max()
    if quirk == "outlier":
        y[0] = 1e4 * np.abs(y).max()
    if quirk == "sorted":
        y = np.sort(y, axis=0)
    return y


def _positive(rng, z, said):
    y = np.exp(np.clip(z, -4, 4))
    kind = pick(rng, ["", "counts", "zeros", "units"], [4, 2, 1, 1])
    said += [f"{kind} in y"] * bool(kind)
    if kind == "counts":
        return np.floor(y)
    if kind == "zeros":
        return y * (z > 0)
    return y * 10 ** rng.uniform(-6, 6) if kind == "units" else y


def _labels(rng, z, n_classes, said):
    odds = np.ones(n_classes)
    if chance(rng, 0.2):
        said.append("imbalanced")
        odds[-1] = 0.2
    ranks = np.argsort(np.argsort(z)) / len(z)
    labels = np.searchsorted(np.cumsum(odds / odds.sum())[:-1], ranks, side="right")
    if chance(rng, 0.04):
        said.append("a class with one member")
        labels[labels == n_classes - 1] = 0
        labels[0] = n_classes - 1
    if chance(rng, 0.01):
        said.append("one class")
        labels[:] = 0
    if chance(rng, 0.05):
        said.append("sorted labels")
        labels = np.sort(labels)
    names = {"strings": CITIES[::-1], "odd numbers": np.array([7, -5, 3]), "floats": np.arange(3.0)}
    if chance(rng, 0.3):
        kind = pick(rng, list(names))
        said.append(f"labels are {kind}")
        return names[kind][labels]
    return labels


def _weights(rng, n_rows, said):
    kind = pick(rng, ["uniform", "with zeros", "integer", "tiny", "huge"], [3, 3, 1, 1, 1])
    said.append(f"sample_weight {kind}")
    weight = rng.uniform(0.5, 2, n_rows)
    if kind == "with zeros":
        return weight * (rng.uniform(size=n_rows) > 0.3)
    if kind == "integer":
        return rng.integers(1, 4, n_rows)
    return weight * {"uniform": 1, "tiny": 1e-6, "huge": 1e6}[kind]
