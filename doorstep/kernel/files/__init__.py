"""Files that belong to a resident, kept in the database (文件). See docs/apps/files.md."""
