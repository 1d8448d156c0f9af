"""OAuth 2 and SMART App Launch v2 for machines and apps, on django-oauth-toolkit. See docs/fhir/oauth.md."""
