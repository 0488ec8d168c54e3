"""Marks of the gates on the charts of monitoring. See ``monitoring/marker.py``."""
