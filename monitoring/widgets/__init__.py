"""Blocks of dashboards. One file adds one; see ``monitoring/widget.py``."""
