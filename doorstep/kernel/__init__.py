"""The kernel: record, events, worklist, audit, workflow and what they stand on. It knows nothing of medicine."""
