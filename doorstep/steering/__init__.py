"""Apps that read what happened: they own no clinical data."""
