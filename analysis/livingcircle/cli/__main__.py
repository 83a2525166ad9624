"""`python -m livingcircle.cli`."""

from livingcircle.cli import main

if __name__ == "__main__":
    main()
