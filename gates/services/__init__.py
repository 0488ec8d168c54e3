"""What a person asks of the gates: policies, reviews, sign-offs, decisions."""
