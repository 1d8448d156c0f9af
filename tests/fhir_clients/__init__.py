"""Journeys of FHIR clients that nobody here wrote, against a running server."""
