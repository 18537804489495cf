"""MLflow: runs, fingerprints and reuse, lineage, the model registry."""
