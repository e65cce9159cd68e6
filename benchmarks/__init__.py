"""Measurements of waiting and speed, run by hand."""
