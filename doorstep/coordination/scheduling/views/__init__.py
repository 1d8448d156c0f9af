"""Pages of slots: templates, the board, bookings, the queue, waiting lists, the division, and the residents' own."""
