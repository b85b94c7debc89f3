"""Slack: messages of a channel, by an incoming webhook.

In: messages. Out: a text for each.
"""

from headwater.destinations.slack.deliver import Slack

__all__ = ["Slack"]
