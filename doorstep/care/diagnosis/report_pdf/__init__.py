"""The printed ECG report (心电图报告单): an A4 page with the trace to scale, rendered by Typst."""
