"""Readers of labels, one module for each data format; `choose` returns the one that the settings describe."""
