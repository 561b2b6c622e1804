"""Scores: confusion matrices and what they amount to (numpy only, no state)."""
