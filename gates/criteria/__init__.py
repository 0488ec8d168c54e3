"""The ways of judging, one file a criterion type."""
