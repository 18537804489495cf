"""What the README claims, measured side by side on one machine."""
