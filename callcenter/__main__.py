"""`python -m callcenter`: the same as the command `callcenter`."""

from callcenter.cli.main import main

if __name__ == "__main__":
    main()
