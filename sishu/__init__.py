"""Sishu 私塾: a self-hosted personal pay-for-knowledge platform."""
