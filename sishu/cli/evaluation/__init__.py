"""Models tried on data of one's own: files in, one table out, every model in a process of its own."""
