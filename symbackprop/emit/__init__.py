"""Emit: print a program in a target language through Jinja templates."""
