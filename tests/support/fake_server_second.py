"""The gunicorn settings of the second server of `fake_platform`."""

import os

bind = f"localhost:{int(os.environ['FAKE_PORT']) + 1}"
worker_class = "gthread"
threads = 2
graceful_timeout = 120
loglevel = "warning"
control_socket_disable = True
