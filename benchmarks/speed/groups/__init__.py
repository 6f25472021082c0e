"""What is measured: each group yields rows, dicts that become a CSV.

``measure(effort)`` takes small sizes for the effort ``QUICK``, to see that everything works.
"""

from benchmarks.speed.groups import (
    growth,
    logistic,
    logistic_vector,
    memory,
    pipelines,
    ridge,
    ridge_vector,
)

GROUPS = {
    "ridge": ridge.measure,
    "ridge-vector": ridge_vector.measure,
    "logistic": logistic.measure,
    "logistic-vector": logistic_vector.measure,
    "pipelines": pipelines.measure,
    "growth": growth.measure,
    "memory": memory.measure,
}
