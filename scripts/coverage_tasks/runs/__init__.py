"""Saved runs, and what several runs come to."""
