"""Results of the search of one candidate: rows, statuses, comparisons, effective model."""
