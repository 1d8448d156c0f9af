"""Shared diagnosis centre (共享诊断中心), first the ECG centre: orders, queue, reports, critical values. See docs/apps/diagnosis.md."""
