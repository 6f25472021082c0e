"""Parameters of estimators with a value for each feature."""
