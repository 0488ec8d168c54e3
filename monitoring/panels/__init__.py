"""Monitoring on the use case page."""
