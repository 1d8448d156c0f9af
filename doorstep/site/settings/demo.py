"""The demo county on this machine: plain HTTP on the loopback address, demo accounts with a shown one-time code."""

from doorstep.site.settings.base import *  # noqa: F403

DEMO = True
