"""Problems whose loss is quadratic in pieces: rows are in one of a few pieces each."""
