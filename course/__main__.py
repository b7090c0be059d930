"""``python3 -m course``: prepares what the course needs and opens it.

Kept readable for old Pythons, down to 2.7, so that they can say in one sentence what is wrong.
"""

import sys

OLDEST = (3, 11)


def too_old(version, executable):  # type: ignore[no-untyped-def]
    """One sentence that says what to do about a Python older than the course needs."""
    return (
        "The course needs Python {}.{} or newer, and this is Python {}.{} ({}): "
        "run it with a newer one, for example `python3.12 -m course` (get it from your system's "
        "packages, from python.org or from conda).".format(
            OLDEST[0], OLDEST[1], version[0], version[1], executable
        )
    )


if __name__ == "__main__":
    if sys.version_info < OLDEST:
        sys.exit(too_old(sys.version_info, sys.executable))  # type: ignore[no-untyped-call]

    from course.setup.commands import main

    sys.exit(main())
