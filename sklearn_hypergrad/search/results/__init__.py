"""What the search of one candidate has found: rows, statuses, improvements."""
