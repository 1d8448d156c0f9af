"""The auditor's pages: the trail with its seals, and the review of emergency looks (审计)."""
