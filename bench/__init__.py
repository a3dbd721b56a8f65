"""Side-by-side measurements: each module is one command, `python -m bench.<name>`; `python -m bench` runs them all."""
