"""Optuna: the search space, the study, and the workers that run its trials."""

import optuna

optuna.logging.set_verbosity(optuna.logging.WARNING)
