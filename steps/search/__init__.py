"""Optuna: the search space, the study, and the workers that run its trials."""
