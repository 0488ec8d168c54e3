"""What monitoring asks people."""
