"""Submission files, one module a format."""

from competition.ensemble.writers.formats import Format, write
from competition.ensemble.writers.layout import Layout

__all__ = ["Format", "Layout", "write"]
