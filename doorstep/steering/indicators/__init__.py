"""Indicators (监测指标): the times of every stage and their share inside the clock. See docs/apps/indicators.md."""
