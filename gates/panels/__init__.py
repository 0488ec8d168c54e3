"""What the gates put on the use case page."""
