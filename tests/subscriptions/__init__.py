"""FHIR Subscriptions from the write to the receiver, with everything that the site wires."""
