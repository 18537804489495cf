"""What is predicted: metrics, baselines and comparisons of each kind of target, behind one protocol."""
