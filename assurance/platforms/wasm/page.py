#!/usr/bin/env python3
"""page.py FOLDER LAST: opens the page of the folder in a browser without a window, and prints its verdict."""

import functools
import html
import http.server
import re
import subprocess
import sys
import tempfile
import threading

folder, last = sys.argv[1:]


class Quiet(http.server.SimpleHTTPRequestHandler):
    extensions_map = {**http.server.SimpleHTTPRequestHandler.extensions_map, ".wasm": "application/wasm"}

    def log_message(self, *_):
        pass


# Any free port of this machine.
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folder))
threading.Thread(target=server.serve_forever, daemon=True).start()
with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
    page = subprocess.run(
        [
            "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--disable-sync",
            f"--user-data-dir={profile}", "--virtual-time-budget=60000", "--dump-dom",
            f"http://127.0.0.1:{server.server_port}/?last={last}",
        ],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, timeout=300, check=True,
    ).stdout  # fmt: skip
verdict = html.unescape(re.search(r'<pre id="result">(.*?)</pre>', page, re.S).group(1))
print(verdict.removeprefix("PASSED "))
sys.exit(not verdict.startswith("PASSED "))
