"""The competition's images and masks: indexed, split into folds, cached, sampled; and made-up data to try comp on."""
