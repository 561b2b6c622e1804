"""The life of an experiment above its jobs: request, rules, plan; then score, comparison, verdict."""
