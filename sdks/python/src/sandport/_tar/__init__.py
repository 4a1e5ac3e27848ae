"""Tar archives: written fast, and read without trusting a single byte."""
