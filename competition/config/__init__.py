"""The configuration: competition.yaml, baseline.yaml, overrides, and the code and weights that they name."""
