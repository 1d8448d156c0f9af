"""Code systems with versions and import (术语). See docs/apps/terminology.md."""
