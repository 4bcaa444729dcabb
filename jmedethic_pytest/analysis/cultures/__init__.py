"""The same models under guidelines of several countries: where they are safer, and whether strategies carry over."""
