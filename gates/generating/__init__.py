"""A synthetic portfolio of any size, for benchmarks: the same seed makes the same portfolio.

Rows are written in bulk and every one that a service would record has its event, so that the ledger stays whole.
"""
