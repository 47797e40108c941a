"""One folder a chat platform. A new one is a folder here, a line in wiring.py and its emulator."""
