"""The site wires the apps together when it starts."""

from django.apps import AppConfig


class SiteConfig(AppConfig):
    """Installs subscriptions, mappings to the record, the line of duty and the navigation."""

    name = "doorstep.site"
    label = "site"

    def ready(self) -> None:
        """Wire everything once all models are loaded."""
        from doorstep.site.wiring import wire

        wire()
