"""Submission files, one module a format."""

from competition.ensemble.writers.formats import Format, write

__all__ = ["Format", "write"]
