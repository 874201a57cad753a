"""The program `assent`, and `python -m assent`.

A program that is interrupted ends, and says nothing that only its makers understand. Until the
command line is there to say something better, the system's own way to end it is the right one, so
that is set before anything else is imported.
"""

# Not `signal`: to import that takes long enough to be interrupted, and this is built in.
import _signal  # type: ignore[import-not-found]  # typeshed knows only `signal`


def _let_interrupts_end_it() -> None:
    """Unless whoever started this program has it ignore them, as a shell does in the background."""
    if _signal.getsignal(_signal.SIGINT) is _signal.default_int_handler:
        _signal.signal(_signal.SIGINT, _signal.SIG_DFL)


_let_interrupts_end_it()


def main() -> None:
    """Run the command line."""
    from assent.cli.main import main as run

    run()


if __name__ == "__main__":
    main()
