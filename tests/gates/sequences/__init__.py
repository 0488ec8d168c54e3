"""Random people doing random things to one use case, and the rules that hold after every step."""
