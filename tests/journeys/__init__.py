"""Whole days in a real browser, against a real installation: web, worker, live process and database."""
