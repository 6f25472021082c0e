"""What is searched of scikit-learn, and why the rest is enumerated: two tables of pages.

They are made, whenever pages are, from what the families and ``adapters.why_enumerated`` say.
"""

import inspect
from numbers import Real

from sklearn.compose import ColumnTransformer
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.utils import all_estimators

from sklearn_hypergrad._sklearn import Interval
from sklearn_hypergrad.adapters import family
from sklearn_hypergrad.adapters.reasons import NAMES, why_enumerated
from sklearn_hypergrad.adapters.wrapped import WRAPPERS
from sklearn_hypergrad.transformers import transformer

# What is made of other estimators.
COMPOSED = {Pipeline, ColumnTransformer, FeatureUnion}
TABLE = """\
.. list-table::
   :header-rows: 1
   :widths: {widths}
   :class: stacked

"""


def families():
    """The family of every class of scikit-learn and of this package that has one.

    Pipelines, whose family is that of their steps, are left out, and so are wrappers.
    """
    classes = [cls for _, cls in all_estimators()]
    own = [cls for cls in family.registry if cls.__module__.startswith("sklearn_hypergrad.")]
    own = [cls for cls in own if not inspect.isabstract(cls)]
    classes += sorted(own, key=lambda cls: (_origin(cls), cls.__name__))
    return _made(family, [cls for cls in classes if cls not in WRAPPERS])


def transformers():
    """The same for the steps before a model."""
    return _made(transformer, [cls for _, cls in all_estimators()])


def _made(registry, classes):
    makers = {cls: registry.registry.get(cls) for cls in classes if cls not in COMPOSED}
    return {cls: make(cls()) for cls, make in makers.items() if make is not None}


def continuous():
    """``(class, name)`` of parameters that may be any number of an interval."""
    for _, cls in all_estimators():
        for name, allowed in getattr(cls, "_parameter_constraints", {}).items():
            if isinstance(allowed, list) and any(map(_is_of_numbers, allowed)):
                yield cls, name


def _is_of_numbers(constraint):
    return isinstance(constraint, Interval) and constraint.type is Real


def searched():
    """Rows of the first table: classes, hyperparameters and conditions, as texts."""
    rows = {}
    for cls, found in families().items():
        names = [_with_vectors(*i) for i in found.hyperparameters.items() if "__" not in i[0]]
        names = ", ".join([*names, *(f"the parameters of ``{name}``" for name in found.nested)])
        rows.setdefault((names, found.conditions, _origin(cls)), []).append(cls)
    for cls, found in WRAPPERS.items():
        names = f"``{found.inside}__`` before the names of a model above"
        rows.setdefault((names, found.conditions, ""), []).append(cls)
    for cls, found in transformers().items():
        names = ", ".join(_with_vectors(*i) for i in found.hyperparameters.items())
        if names:
            conditions = "; ".join(filter(None, ["before a model above", found.conditions]))
            rows.setdefault((names, conditions, _origin(cls)), []).append(cls)
    return [(_listed(classes) + origin, *row) for (*row, origin), classes in rows.items()]


def _with_vectors(name, hyperparameter):
    per = [" and ".join(each) if isinstance(each, tuple) else each for each in hyperparameter.per]
    return f"``{name}``" + (f" (also per {', '.join(per)})" if per else "")


def _origin(cls):
    """Where a class is from, if it is one of this package."""
    first, second, *_ = cls.__module__.split(".")
    return "" if first == "sklearn" else f" of :mod:`{first}.{second}`"


def _listed(classes):
    return ", ".join(f"``{cls.__name__}``" for cls in classes)


def reasons():
    """``{reason: {class: names}}`` of continuous parameters that are not searched."""
    found, known = {}, families() | transformers()
    for cls, name in continuous():
        own = known.get(cls)
        if own is None or name not in own.hyperparameters:
            _, reason = why_enumerated(cls, name, own)
            found.setdefault(reason, {}).setdefault(cls, []).append(name)
    return found


def enumerated():
    """Rows of the second table: the reason, and parameters and classes, as texts."""
    return [
        (f"it {reason}", "; ".join(_parameters(reason, of))) for reason, of in reasons().items()
    ]


def _parameters(reason, of_classes):
    """Texts for the parameters with one reason, such as "p of Class"."""
    if reason in NAMES:
        names = {name for names in of_classes.values() for name in names}
        return [f"{_coded(sorted(names))} of any class"]
    alike = {}
    for cls, names in of_classes.items():
        alike.setdefault(tuple(name for name in names if name != "tol") or ("tol",), []).append(cls)
    return [f"{_coded(names)} of {_listed(classes)}" for names, classes in alike.items()]


def _coded(names):
    return ", ".join(f"``{name}``" for name in names)


def filled(text):
    """A page in which comments that name a table are replaced by it."""
    for name, widths, header, rows in (
        ("searched", "36 28 36", ("Estimator", "Hyperparameters", "Conditions"), searched),
        ("enumerated", "35 65", ("Why it is enumerated", "Hyperparameters"), enumerated),
    ):
        comment = f".. the table of what is {name}\n"
        if comment in text:
            lines = [_row(cells) for cells in (header, *rows())]
            text = text.replace(comment, TABLE.format(widths=widths) + "".join(lines))
    return text


def _row(cells):
    first, *others = (f"- {cell}".rstrip() for cell in cells)
    return "".join([f"   * {first}\n", *(f"     {other}\n" for other in others)])


def in_short():
    """Rows of the README's table: hyperparameters, and classes of scikit-learn with them."""
    alike = {}
    for cls, found in (families() | transformers()).items():
        names = [name for name in found.hyperparameters if "__" not in name]
        names = [
            *map("`{}`".format, names),
            *(f"those of `{name}`" for name in getattr(found, "nested", ())),
        ]
        if names and not _origin(cls):
            alike.setdefault(", ".join(names), []).append(f"`{cls.__name__}`")
    rows = [(names, ", ".join(classes)) for names, classes in alike.items()]
    inside = ", ".join(f"`{cls.__name__}`" for cls in WRAPPERS)
    return [*rows, ("those of the model inside", inside)]
