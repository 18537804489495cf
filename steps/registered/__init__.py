"""Code that MLflow copies into a registered model and runs from there; no part of this project imports it."""
