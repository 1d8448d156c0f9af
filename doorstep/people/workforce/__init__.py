"""Practitioners, their dated posts, licences and teams (人员). See docs/apps/workforce.md."""
