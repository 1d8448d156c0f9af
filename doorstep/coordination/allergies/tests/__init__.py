"""Tests of allergies."""
