"""Steroids: runs AI coding agents in parallel on one monorepo, a container per section."""

__version__ = "0.1.0"
