"""Settings by mode: base, then demo, test or production."""
