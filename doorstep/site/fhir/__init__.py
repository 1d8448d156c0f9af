"""The machine's doors into the workflows: a resource that is sent calls the same actions as the pages."""
