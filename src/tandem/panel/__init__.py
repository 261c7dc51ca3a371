"""Observations -> the derived panel of a study."""
