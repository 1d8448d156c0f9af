"""The demo county 禾川县: an invented county of the shape of a real one, drawn from a seed, without any database.

`county.build_county` gives map, institutions and people who work; `residents.generate` streams residents with their
history; `heroes` names the people of the demonstration; `clock.plan_day` plans a day for the simulator;
`check.check_county` looks for contradictions. Names, places, numbers and values are invented.
"""
