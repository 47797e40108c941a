"""HJ 212 data loggers (数采仪), editions 2005, 2017 and 2025: frames, what they mean, and the server they dial."""
