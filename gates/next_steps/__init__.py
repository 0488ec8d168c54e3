"""What gates miss first, for lists of use cases."""
