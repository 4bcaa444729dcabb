"""An adaptive attacker: it reads the replies, and goes on where the written turns end."""
