"""Who acts and who may see: actor, roles, care relationships, row-level security, field encryption (访问控制). See docs/apps/access.md."""
