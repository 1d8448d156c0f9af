"""The machine interface as clients meet it."""
