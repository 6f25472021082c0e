"""All listed values of a result as rows, as GridSearchCV has them."""

import dataclasses
import numbers

from sklearn.model_selection import ParameterGrid

from sklearn_hypergrad.search.results.candidate_result import close


def with_listed_rows(result):
    """A SearchedResult with a row for every combination of listed values; itself without lists.

    A row that is listed up to rounding becomes the listed one.
    """
    candidate = result.candidate
    spans = candidate.ranges
    if not all(span.listed for span in spans):
        return result
    listed = ParameterGrid({span.key: span.listed for span in spans})
    left, rows = [{**candidate.settings, **values} for values in listed], []
    for row in result.rows:
        same = [number for number, other in enumerate(left) if _same(row, other, spans)]
        rows.append(left.pop(same[0]) if same else row)
    rows += left
    points = [{s.leaf: row[s.key] for s in spans} for row in rows] if result.points else ()
    return dataclasses.replace(result, rows=rows, points=points)


def _same(row, other, spans):
    """Whether the values of ranges are the same; own values of an estimator may be no numbers."""
    pairs = [(row[span.key], other[span.key]) for span in spans]
    return all(isinstance(one, numbers.Real) and close(one, two) for one, two in pairs)
