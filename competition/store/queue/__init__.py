"""The queue's tables: jobs, attempts, whose turn it is, pauses and slots."""
