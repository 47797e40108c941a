"""What happens: per feature what the bot asks (flows) and what changes (actions, with no word about chat states)."""
