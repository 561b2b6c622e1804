"""Which images validate which model: folds made here, or imported from somebody else."""
