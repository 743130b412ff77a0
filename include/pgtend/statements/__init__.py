"""Every night what each statement cost, as exact as the server allows, and what got worse and why."""
