"""Connections to other systems: the message store, the order of work, replay, and the wire of HL7 v2 (系统对接).

Knows bytes, envelopes and states, and nothing of medicine: what a message means is told by the formats that the site installs.
See docs/apps/exchange.md.
"""
