"""Wards and beds (床位): the bed board, beds kept for somebody, stays, and who waits for a bed.

See docs/apps/beds.md.
"""
