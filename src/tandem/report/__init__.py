"""Estimates to tables, figures and the report."""
