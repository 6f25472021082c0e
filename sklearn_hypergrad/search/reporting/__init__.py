"""Output of a search: fitted attributes, the report, progress lines and callbacks."""
