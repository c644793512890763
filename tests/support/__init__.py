"""Helpers for tests: small archives made on the spot, and a real S3 server on loopback."""
