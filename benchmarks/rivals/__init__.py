"""The same ten trials as people write them with other tools; each logs the same metrics per epoch to MLflow."""
