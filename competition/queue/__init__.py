"""From a wish to a result: submitting experiments, and the workers that run their jobs on devices."""
