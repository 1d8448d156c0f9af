"""Allergies and the statement that none is known (过敏史), published as AllergyIntolerance. See docs/apps/allergies.md."""
