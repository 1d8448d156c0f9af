"""Benchmarks: a whole county, the real server, figures beside yardsticks of the same run. See docs/benchmarks.md."""
