"""Loading the county into the database: rows as COPY text, in one transaction of the tables' owner."""
