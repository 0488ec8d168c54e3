"""The demonstration portfolio: a believable organisation that the product makes itself, the same every time."""
