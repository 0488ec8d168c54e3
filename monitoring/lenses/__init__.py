"""Sets of use cases that monitoring knows."""
