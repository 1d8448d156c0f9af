"""The only code that writes a state: one act, four traces (流程). See docs/apps/workflow.md."""
