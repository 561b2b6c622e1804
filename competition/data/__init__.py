"""The images and masks of a competition: index, checks, splits, cache, samples; and synthetic data to try comp on."""
