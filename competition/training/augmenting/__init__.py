"""Augmentation of training images together with their masks."""
