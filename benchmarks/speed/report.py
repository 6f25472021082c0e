"""Tables and figures from the CSVs."""

import dataclasses
from pathlib import Path

from benchmarks.speed import figures, store, tables
from benchmarks.speed.groups import GROUPS

DOCS = Path(__file__).parents[2] / "docs"


@dataclasses.dataclass(frozen=True)
class Section:
    """What is said of a group, and its tables: ``(title, function of its results)``."""

    heading: str
    tables: tuple
    text: str = ""


SECTIONS = {
    "ridge": Section(
        "Ridge regression",
        (
            ("What a search for one alpha costs", tables.costs),
            ("Other searches for one alpha", tables.peers),
        ),
    ),
    "logistic": Section(
        "Logistic regression",
        (
            ("What a search for one C costs", tables.costs),
            ("Other searches for one C", tables.peers),
        ),
        "Correlated features have a few strong directions and many weak ones, as those of most "
        "tables do. With independent features nothing is hard for any solver.\n",
    ),
    "ridge-vector": Section(
        "Ridge regression with one penalty per feature",
        (
            ("One hypergradient of one alpha per feature", tables.hypergradients),
            ("What a search for one alpha per feature costs", tables.costs),
            ("Other searches for one alpha per feature, or for one alpha", tables.peers),
        ),
        "Whole searches shrink the penalties towards a common one and descend the loss of half "
        "splits, so as not to fit the five folds: there, a search without such measures has the "
        "better loss. All features of these data matter alike, so there is nothing to find but "
        "that one penalty is enough.\n",
    ),
    "logistic-vector": Section(
        "Logistic regression with one penalty per feature",
        (("One hypergradient of one C per feature", tables.hypergradients),),
        "As in a search, each evaluation starts from the solution of the last.\n",
    ),
    "pipelines": Section(
        "Pipelines",
        (
            ("What a search behind a StandardScaler costs", tables.costs),
            ("GridSearchCV for one penalty behind a StandardScaler", tables.peers),
        ),
    ),
    "growth": Section(
        "Growth",
        (("Growth of the time of a search", tables.growth),),
        "Time is proportional to the size to the power of the exponent, fitted to the upper half "
        "of the sizes. Against penalties it is the time of one hypergradient, else of a search.\n",
    ),
    "memory": Section(
        "Memory",
        (("Peak memory", tables.memory),),
        "Beyond the data themselves, as a multiple of the size of ``X``, on one BLAS thread. Every "
        "number is that of a process of its own.\n",
    ),
}


def show(results):
    """Print the tables of some groups."""
    for group, rows in results.items():
        for title, make in SECTIONS[group].tables:
            print(make(title, rows).markdown(), flush=True)


def write(folder, docs):
    """Write ``benchmarks.inc`` and its figures for all groups that have been measured."""
    results = store.load(folder, GROUPS)
    if not results:
        raise SystemExit(f"There are no results in {folder} yet.")
    drawn = figures.draw_all(results, docs / "_static")
    parts = [_machines(results)]
    for group, rows in results.items():
        section = SECTIONS[group]
        parts += [f"{section.heading}\n{'-' * len(section.heading)}\n", section.text]
        parts += [_figure(*figure) for figure in drawn.get(group, ())]
        parts += [make(title, rows).rst() for title, make in section.tables]
    (docs / "benchmarks.inc").write_text("\n".join(filter(None, parts)))


def _machines(results):
    """Groups may have been measured on different days."""
    machines = dict.fromkeys(rows["machine"].iloc[0] for rows in results.values())
    return "Measured on " + "; and ".join(machines) + ".\n"


def _figure(name, text):
    return f".. figure:: _static/{name}\n   :alt: {text}\n\n   {text}\n"
