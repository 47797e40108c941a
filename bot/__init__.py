"""The chat engine. It knows platforms, conversations and deliveries, and nothing of safety."""
