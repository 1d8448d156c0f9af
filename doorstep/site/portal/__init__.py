"""The resident's own pages: the record in plain words, who looked, the presence code (居民端)."""
