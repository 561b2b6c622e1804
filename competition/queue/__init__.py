"""Jobs onto devices: workers, the children that run jobs, and proof of what became of them."""
