"""Measure Headwater; see README.md for what the figures can and cannot say."""
