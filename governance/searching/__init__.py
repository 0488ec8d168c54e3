"""What governance lets people find."""
