"""Pages about people, roles, machines and one's own settings."""
