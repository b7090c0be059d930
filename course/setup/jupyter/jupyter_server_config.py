"""What JupyterLab's server reads at its start: send each message at once.

TCP holds a small packet back while the one before it is not acknowledged, and a browser that is sent
something all the time, as by a training that runs, acknowledges only after 40 ms. The kernel's "busy" is
always before an answer, so each key press in a lab would wait for that.
"""

import contextlib
import os

with contextlib.suppress(ImportError):
    from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection

    class PromptConnection(ZMQChannelsWebsocketConnection):
        """The server's own connection to a kernel, on a socket that sends at once."""

        def connect(self):  # type: ignore[no-untyped-def]
            """Connect, as the server does."""
            with contextlib.suppress(Exception):  # slower is better than not at all
                self.websocket_handler.set_nodelay(True)
            return super().connect()

    if not os.environ.get("JUPYTER_GATEWAY_URL"):
        get_config().ServerApp.kernel_websocket_connection_class = PromptConnection  # type: ignore[name-defined]  # noqa: F821
