"""All recorded searches by name."""

from benchmarks.recorded.cases import classifiers, networks, own, pipelines, ridge, vectors

CASES = {
    case.name: case
    for module in (ridge, classifiers, pipelines, vectors, networks, own)
    for case in module.CASES
}
