"""Training one job on one device. The only place that imports torch, and only a job's child process imports it."""

import os

os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")  # else it asks the network for its newest version at each import
