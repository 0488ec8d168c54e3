"""The portfolio's pages."""
