"""Looking at the data before training on it: what is in it, how it looks, and what that suggests."""
