"""Results that stand and need not be repeated (检查检验结果互认): which, for how long, and the card that says so.

Reads the record and keeps what the doctor decided. See docs/apps/recognition.md.
"""
