"""One person once: merging and parting records, likely doubles, linkage (身份核对). See docs/apps/identity.md."""
