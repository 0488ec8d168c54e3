"""Monitoring over REST."""
