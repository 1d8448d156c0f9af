"""The audit trail: append-only, sealed in hash-chained batches, verified by a command (审计). See docs/apps/audit.md."""
