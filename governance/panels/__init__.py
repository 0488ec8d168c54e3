"""Tabs of the use case page that governance brings."""
