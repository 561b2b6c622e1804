"""Experiments: from a request over the rules to jobs, and from out-of-fold results to scores, verdicts and ranks."""
