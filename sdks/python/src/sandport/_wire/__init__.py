"""Requests and answers without any I/O: shared by the synchronous and the asynchronous client."""
