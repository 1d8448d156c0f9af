"""The record: FHIR R4 resources and their versions (健康档案). See docs/apps/record.md."""
