"""Rows and queries: the only folder that knows SQL, and the owner of schema changes."""
