"""The embedded PostgreSQL server and its roles, behind one small module (数据库). See docs/apps/database.md."""
