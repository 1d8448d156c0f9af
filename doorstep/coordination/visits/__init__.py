"""Visits (就诊): a resident is there, what was measured, what was found. See docs/apps/visits.md."""
