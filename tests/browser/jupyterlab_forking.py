"""JupyterLab with forked kernels; run as a program, with JupyterLab's arguments."""

from jupyterlab.labapp import main

from tests.forked import forked_kernels

if __name__ == "__main__":
    with forked_kernels("tests.browser.preloaded"):
        main()
