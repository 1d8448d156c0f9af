"""The county's past days, lived through the same actions that the pages call, on a clock that stands where the plan says.

What the database itself dates (the audit trail, sight of a record) keeps its true time: a simulator cannot backdate it.
"""
