"""Local directories: walked, packed, unpacked and compared."""
