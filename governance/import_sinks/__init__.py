"""What imports declare for governance: one file a profile section."""
