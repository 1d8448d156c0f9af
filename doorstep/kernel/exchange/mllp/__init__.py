"""HL7's minimal lower layer protocol: frames, envelopes, acknowledgements, and the server that stores before it answers."""
