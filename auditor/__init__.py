"""The auditor: a process of its own that looks whether anything was lost, with its own queries (docs/adr/0009).

It shares no code with the engine but `storage.database.open_engine`: a mistake in the engine must not be made twice.
"""
