"""The official examples of R4 as a touchstone of storing and validating (npm hl7.fhir.r4.examples, 4.0.1)."""
