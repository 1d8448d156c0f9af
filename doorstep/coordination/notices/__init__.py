"""Messages to people (通知). See docs/apps/notices.md."""
