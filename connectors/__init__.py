"""Outside systems that are not chat; each behind a small interface."""
