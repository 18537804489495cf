"""What the README leases, measured side by side on one machine."""
