"""Sishu 私塾: a self-hosted personal pay-for-knowledge platform."""

__version__ = "0.1.0"
