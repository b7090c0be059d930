"""The families of the standard library's modules: what the classes of "docstring-families" mean."""

from __future__ import annotations

__all__ = ["FAMILIES", "family_of"]

FAMILIES: dict[str, tuple[str, ...]] = {
    "concurrency": (
        "_threading_local", "asynchat", "asyncio", "asyncore", "concurrent", "multiprocessing", "queue",
        "sched", "selectors", "signal", "socketserver", "subprocess", "threading",
    ),
    "files and system": (
        "_compression", "_osx_support", "bz2", "dbm", "filecmp", "fileinput", "fnmatch", "genericpath",
        "glob", "gzip", "io", "_pyio", "linecache", "lzma", "nturl2path", "ntpath", "os", "pathlib",
        "platform", "posixpath", "pty", "shelve", "shutil", "site", "stat", "sysconfig", "tarfile",
        "tempfile", "tty", "venv", "zipapp", "zipfile",
    ),
    "language tools": (
        "ast", "bdb", "cProfile", "code", "codeop", "compileall", "dis", "doctest", "importlib",
        "inspect", "lib2to3", "modulefinder", "opcode", "pdb", "pkgutil", "profile", "pstats",
        "py_compile", "pyclbr", "pydoc", "runpy", "symtable", "tabnanny", "timeit", "tokenize", "trace",
        "traceback", "tracemalloc", "unittest", "warnings", "zipimport",
    ),
    "networking and email": (
        "cgi", "cgitb", "email", "ftplib", "http", "imaplib", "ipaddress", "mailbox", "mailcap",
        "mimetypes", "netrc", "nntplib", "poplib", "smtpd", "smtplib", "socket", "ssl", "telnetlib",
        "urllib", "webbrowser", "wsgiref", "xmlrpc",
    ),
    "text and data formats": (
        "_markupbase", "base64", "chunk", "codecs", "configparser", "csv", "difflib", "gettext", "html",
        "json", "locale", "pickle", "pickletools", "plistlib", "pprint", "quopri", "re", "shlex",
        "string", "stringprep", "textwrap", "tomllib", "uu", "wave", "xdrlib", "xml",
    ),
    "user interface": (
        "argparse", "cmd", "curses", "getopt", "getpass", "idlelib", "optparse", "rlcompleter",
        "tkinter", "turtle", "turtledemo",
    ),
}  # fmt: skip

_FAMILY = {package: family for family, packages in FAMILIES.items() for package in packages}


def family_of(source: str) -> str | None:
    """Return the family of a module, or None where it is in none.

    >>> family_of("email.message"), family_of("decimal")
    ('networking and email', None)
    """
    return _FAMILY.get(source.partition(".")[0])
