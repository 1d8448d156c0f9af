"""An invented hospital's systems: real-looking HL7 v2 traffic, and the wire to send it on."""
