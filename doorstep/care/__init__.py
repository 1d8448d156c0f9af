"""The daily work of care. Apps here are blind to each other."""
