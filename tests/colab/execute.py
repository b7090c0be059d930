"""Run by the Colab environment's Python: executes a notebook in its own kernel, in place.

Usage: execute.py NOTEBOOK WORKING_DIRECTORY SECONDS_PER_CELL
"""

import sys

import nbformat
from nbclient import NotebookClient

if __name__ == "__main__":
    path, folder, seconds = sys.argv[1:]
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook,
        timeout=int(seconds),
        kernel_name="python3",
        resources={"metadata": {"path": folder}},
        store_widget_state=False,
    )
    try:
        client.execute()
    finally:
        nbformat.write(notebook, path)
