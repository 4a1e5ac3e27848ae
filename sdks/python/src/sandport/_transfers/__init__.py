"""Uploads and downloads as flows."""
