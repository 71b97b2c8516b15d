"""What sets a repository up, found from its files: a module per ecosystem. Pure."""
