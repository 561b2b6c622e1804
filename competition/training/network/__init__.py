"""The network: architecture, first weights, precision, averaged weights, test-time augmentation."""
