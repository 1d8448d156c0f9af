"""Shared documents of WS/T 500-2016 (CDA R2) in and out of the record (卫生信息共享文档)."""
