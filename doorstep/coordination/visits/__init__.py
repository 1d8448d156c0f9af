"""Visits and what is measured during them (接诊). See docs/apps/visits.md."""
