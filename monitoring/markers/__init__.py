"""What is marked on the chart of a series. One file adds one kind; see ``monitoring/marker.py``."""
