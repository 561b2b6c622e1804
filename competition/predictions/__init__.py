"""Stored class probabilities: writing, reading, archiving and pruning them."""
