"""What is known of a use case, one file a kind of fact."""
