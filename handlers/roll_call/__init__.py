"""Roll calls: gas alarm, evacuation, permits called off. Everybody called confirms by name; who has not is shown."""
