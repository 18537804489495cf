"""Tasks: metrics, baselines and comparisons of each kind of target, behind one protocol."""
