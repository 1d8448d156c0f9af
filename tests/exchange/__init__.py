"""Messages of hospital systems from the wire to the record, with everything that the site wires."""
