"""What the search finds of the portfolio's own."""
