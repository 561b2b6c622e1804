"""Training one job on one device. The only place that imports torch, and only a job's child process imports it."""
