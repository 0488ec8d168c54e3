"""Tabs of the use case page that belong to the portfolio itself."""
