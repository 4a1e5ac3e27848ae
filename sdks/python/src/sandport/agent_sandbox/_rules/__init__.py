"""Rules that the client and its async twin share. No I/O."""
