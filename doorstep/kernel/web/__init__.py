"""Pages: layout, components, messages to the page, errors, security headers (页面). See docs/apps/web.md."""
