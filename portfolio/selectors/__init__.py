"""Reads across the portfolio."""
