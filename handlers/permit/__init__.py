"""Permits to work: facts gathered by the machine, the talk, approval, the running permit."""
