"""Blends of experiments: scored honestly on out-of-fold probabilities, then applied to the test images."""
