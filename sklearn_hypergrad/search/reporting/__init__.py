"""Fitted attributes, the report, progress and callbacks."""
