"""Events: what happened, kept for those that count and react (事件). See docs/apps/events.md."""
