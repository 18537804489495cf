"""Running on several machines: a cluster to try on one, and templates for real ones."""
