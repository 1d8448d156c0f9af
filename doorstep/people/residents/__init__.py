"""The resident index: identifiers, households, groups, visits (居民主索引). See docs/apps/residents.md."""
