"""Which rows of work an actor reaches, as SQL: the own ones, and those of the units whose records the actor sees."""

OWN = "resident_id = ANY ((SELECT access_self())::bigint[])"


def handled_by(column: str) -> str:
    """The row's organisation in this column is one of the actor's."""
    return f"{column} = ANY ((SELECT access_record_reach())::bigint[])"
