"""What people give to the portfolio, as forms."""
