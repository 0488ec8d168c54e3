"""The figures that Tollgate promises, measured on the machine at hand: `make bench`. Not tests: nothing fails here."""
