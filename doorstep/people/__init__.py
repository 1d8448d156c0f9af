"""Organisations, workforce and residents."""
