"""The site: settings, addresses, the matrix of roles, who listens to which event, and the homes of the roles. It alone knows every app."""
