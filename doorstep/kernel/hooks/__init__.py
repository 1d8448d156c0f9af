"""CDS Hooks: what the house has to say while somebody works in another system (嵌入式提示).

cds-hooks.hl7.org, 2.0: discovery, patient-view, order-select and order-sign, cards. Care apps fill the registry. See docs/apps/hooks.md.
"""
