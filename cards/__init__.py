"""What people see in chat: records become platform-neutral cards and pictures."""
