"""The network: architecture, first weights, arithmetic, averages of weights, and how it predicts."""
