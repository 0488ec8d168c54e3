"""What monitoring knows of an incident."""
