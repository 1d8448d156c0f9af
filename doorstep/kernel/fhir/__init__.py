"""The machine interface: FHIR R4 over REST (互联互通). See docs/fhir/index.md."""
