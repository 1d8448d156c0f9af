"""Existing hospital systems: what their messages mean, whose record they belong to, and the engineer's pages (医院系统对接).

Reads HL7 v2, shared documents and tables, and writes them into the record under the sending hospital's own actor.
See docs/apps/exchange.md.
"""
