"""What the client stands on."""
