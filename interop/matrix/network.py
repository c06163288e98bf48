"""The network between a client and its homeserver: what a scenario tells it to lose or repeat, it does."""

import http.server
import json
import threading
import time
import urllib.error
import urllib.request

import patience


class Network:
    """Passes requests on. `on_request(method, path)` comes first and returns whether the request gets
    through, `on_answer(path, answer)` sees its answer and returns the one that gets back, or None for
    none at all."""

    def __init__(self, target):
        self.target = target
        # When the client last asked for something, or got an answer.
        self.moved = time.monotonic()
        self.heal()
        network = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def relay(self):
                network.relay(self)

            do_GET = do_POST = do_PUT = relay

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://localhost:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def heal(self):
        self.on_request = lambda method, path: True
        self.on_answer = lambda path, answer: answer

    def stop(self):
        self.server.shutdown()

    def relay(self, handler):
        handler.close_connection = True
        self.moved = time.monotonic()
        length = int(handler.headers.get("Content-Length", 0))
        body = handler.rfile.read(length) if length else None
        if not self.on_request(handler.command, handler.path):
            return
        request = urllib.request.Request(self.target + handler.path, method=handler.command)
        for name in ("Authorization", "Content-Type"):
            if handler.headers[name]:
                request.add_header(name, handler.headers[name])
        try:
            with urllib.request.urlopen(request, body, timeout=patience.limit()) as answer:
                status, text = answer.status, answer.read()
        except urllib.error.HTTPError as error:
            status, text = error.code, error.read()
        except OSError:
            return
        self.moved = time.monotonic()
        answer = self.on_answer(handler.path, json.loads(text))
        if answer is None:
            return
        text = json.dumps(answer).encode()
        handler.send_response(status)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(text)))
        handler.end_headers()
        handler.wfile.write(text)
