"""What the gates add to dashboards. See ``monitoring/widget.py``."""
