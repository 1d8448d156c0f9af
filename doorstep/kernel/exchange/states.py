"""How far a message has come."""

from django.db import models


class MessageState(models.TextChoices):
    """A message is received (stored and acknowledged), then one of the others; replay leads back to received."""

    RECEIVED = "received", "待处理"
    APPLIED = "applied", "已入档"
    IGNORED = "ignored", "无需处理"
    WAITING = "waiting", "等待居民"  # its resident is not the sender's to see yet; it goes on when that changes
    FAILED = "failed", "出错待办"


# From these a person may send a message through again.
REPLAYABLE = (MessageState.APPLIED, MessageState.IGNORED, MessageState.WAITING, MessageState.FAILED)
