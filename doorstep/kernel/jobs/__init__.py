"""Jobs and outbox on PostgreSQL; a handler takes effect once (后台任务). See docs/apps/jobs.md."""
