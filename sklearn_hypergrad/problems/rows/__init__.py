"""Inner problems of rows that are only seen part by part."""
