"""Organisations, their tree, departments and dated membership in consortia (机构). See docs/apps/organizations.md."""
