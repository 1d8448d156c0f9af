"""The record as doctors read it (健康档案): timeline, trends across units, problems and medicines. See docs/apps/chart.md."""
