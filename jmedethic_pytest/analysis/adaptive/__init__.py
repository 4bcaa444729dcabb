"""What an adaptive attacker made of the conversations, beside the gate."""
