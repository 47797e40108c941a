"""Pages opened from chat, the read API and the status addresses. Only app.py mounts what is here."""
