"""What the team writes down: competition.yaml, baseline.yaml, overrides, and the code and weights that they name."""
