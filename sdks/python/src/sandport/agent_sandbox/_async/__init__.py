"""What the async client stands on."""
