"""FHIR Subscriptions (数据订阅): hospital systems are told of changes that they may see, in order, until they have heard.

Criteria of R4, and topics of the Subscriptions R5 Backport. A subscription acts as its client behind the same wall as everything
else. See docs/apps/subscriptions.md.
"""
