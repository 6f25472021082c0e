"""Searches of rows that are only seen part by part."""
