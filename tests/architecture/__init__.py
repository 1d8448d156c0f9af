"""The rules of the house, each with its machine."""
