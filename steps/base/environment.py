"""Names of the environment variables that several rooms read."""

from __future__ import annotations

TRACKING_URI = "MLFLOW_TRACKING_URI"
REGISTRY_URI = "MLFLOW_REGISTRY_URI"
STORAGE = "TUNE_STORAGE"  # URL of the study's database; the place for one with a password
CHECKPOINTS = "TUNE_CHECKPOINTS"  # folder of the checkpoints of running trials
CHECKPOINT_SECONDS = "TUNE_CHECKPOINT_SECONDS"  # of training between two checkpoints

STORES = (TRACKING_URI, REGISTRY_URI)  # of MLflow, which also takes a folder
URLS = (*STORES, STORAGE)
SECRETS = ("MLFLOW_TRACKING_PASSWORD", "MLFLOW_TRACKING_TOKEN", "PGPASSWORD")
