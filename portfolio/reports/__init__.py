"""Reports of the portfolio: one file each."""
