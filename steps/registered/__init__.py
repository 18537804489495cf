"""Code that MLflow copies into a registered model and runs from there; the rest of this project never imports it."""
