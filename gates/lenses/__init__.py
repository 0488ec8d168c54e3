"""Sets of use cases that gates know, for the portfolio's numbers and filters."""
