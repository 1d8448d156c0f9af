"""Tests of the whole house: architecture, access, journeys, and the harness that all tests share."""
