"""Data files that the licence stage ships; each names its sources, and its checksum is pinned where it is read."""
