"""``python -m matcalc``, which is the command ``matcalc``."""

from matcalc.cli.main import run

if __name__ == "__main__":
    run()
