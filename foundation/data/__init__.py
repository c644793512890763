"""Data files that the foundation ships; each names its sources, and its checksum is pinned where it is read."""
