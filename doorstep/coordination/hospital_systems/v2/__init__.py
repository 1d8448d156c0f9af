"""HL7 v2.3 to 2.5.1 as hospital systems really send it, turned into FHIR R4."""
