"""Measures how fast answers come."""
