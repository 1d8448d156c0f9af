"""The queues, and who works them: deliveries wait for addresses of others and have slots of their own."""

# Worked by the slots that clocks, handlers and messages share.
SHARED = ("default", "events", "exchange", "preread")
# What waits for an answer from elsewhere, up to ten seconds at a time: it must not hold up the others.
DELIVERIES = "subscriptions"
