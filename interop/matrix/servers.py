"""Two homeservers that federate with each other on this machine, and with nobody else."""

import contextlib
import json
import os
import pathlib
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

import patience

# Everything is on this machine. A proxy would look for it on its own one.
os.environ["no_proxy"] = os.environ["NO_PROXY"] = "localhost,127.0.0.1"


def check(what):
    print(f"  ok: {what}", flush=True)


def certificates(directory, names):
    """A certificate authority of our own, and a certificate for localhost from it for each name."""

    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], cwd=directory, check=True, capture_output=True)

    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    openssl("req", "-x509", *curve, "-keyout", "ca.key", "-out", "ca.pem", "-days", "2",
            "-subj", "/CN=moceril interop",
            "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=keyCertSign")
    (directory / "localhost.ext").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
    for name in names:
        openssl("req", *curve, "-keyout", f"{name}.key", "-out", f"{name}.csr",
                "-subj", "/CN=localhost")
        openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
                "-CAcreateserial", "-days", "2", "-extfile", "localhost.ext", "-out", f"{name}.pem")


_kept = []


def free_ports(count):
    """Ports that no other program gets until this one ends.

    A socket that does not listen keeps each of them. Linux lets a server listen there all the same,
    because both sockets have SO_REUSEADDR."""
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        one.bind(("127.0.0.1", 0))
    _kept.extend(sockets)
    return [one.getsockname()[1] for one in sockets]


@contextlib.contextmanager
def federation(directory):
    """Two homeservers that are up, and are stopped afterwards."""
    certificates(directory, ["one", "two"])
    ports = free_ports(4)
    servers = [Homeserver(directory, "one", *ports[:2]), Homeserver(directory, "two", *ports[2:])]
    try:
        for server in servers:
            server.start()
        for server in servers:
            server.wait()
        yield servers
    finally:
        for server in servers:
            server.stop()


class Homeserver:
    """One Synapse, with SQLite. Its name is `localhost:PORT`, the port of its federation."""

    def __init__(self, directory, name, client_port, federation_port):
        self.directory = directory / name
        self.directory.mkdir()
        self.url = f"http://localhost:{client_port}"
        self.server_name = f"localhost:{federation_port}"
        self.config = self.directory / "homeserver.yaml"
        self.process = None
        unlimited = {"per_second": 10_000, "burst_count": 10_000}
        config = {
            "server_name": self.server_name,
            "pid_file": str(self.directory / "pid"),
            "listeners": [
                {"port": client_port, "type": "http", "tls": False,
                 "bind_addresses": ["127.0.0.1"], "resources": [{"names": ["client"]}]},
                {"port": federation_port, "type": "http", "tls": True,
                 "bind_addresses": ["127.0.0.1"], "resources": [{"names": ["federation"]}]},
            ],
            "database": {"name": "sqlite3", "args": {"database": str(self.directory / "db")}},
            "media_store_path": str(self.directory / "media"),
            "signing_key_path": str(self.directory / "signing.key"),
            "tls_certificate_path": str(directory / f"{name}.pem"),
            "tls_private_key_path": str(directory / f"{name}.key"),
            # Certificates are verified, against our own authority. Loopback must be allowed.
            "federation_verify_certificates": True,
            "federation_custom_ca_list": [str(directory / "ca.pem")],
            "ip_range_blacklist": [],
            "trusted_key_servers": [],
            "report_stats": False,
            "registration_shared_secret": "interop",
            "macaroon_secret_key": "interop",
            "form_secret": "interop",
            "enable_registration": False,
            "log_config": str(self.directory / "log.yaml"),
            "rc_message": unlimited,
            "rc_login": {"address": unlimited, "account": unlimited, "failed_attempts": unlimited},
            "rc_joins": {"local": unlimited, "remote": unlimited},
            "rc_invites": {"per_room": unlimited, "per_user": unlimited, "per_issuer": unlimited},
            "rc_federation": {"window_size": 1_000, "sleep_limit": 10_000, "sleep_delay": 1,
                              "reject_limit": 10_000, "concurrent": 100},
        }
        # JSON is YAML.
        self.config.write_text(json.dumps(config, indent=1))
        log = {
            "version": 1,
            "formatters": {"plain": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
            "handlers": {"file": {"class": "logging.FileHandler", "formatter": "plain",
                                  "filename": str(self.directory / "log")}},
            "root": {"level": "INFO", "handlers": ["file"]},
        }
        (self.directory / "log.yaml").write_text(json.dumps(log))
        self._synapse("--generate-keys", check=True)

    def _synapse(self, *arguments, check=False):
        command = [sys.executable, "-m", "synapse.app.homeserver", "-c", str(self.config)]
        return subprocess.run([*command, *arguments], cwd=self.directory, check=check,
                              capture_output=True)

    def start(self):
        with open(self.directory / "output", "ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "synapse.app.homeserver", "-c", str(self.config)],
                cwd=self.directory, stdout=output, stderr=output)

    def wait(self):
        """Until it answers."""
        begun = time.monotonic()
        while self.process.poll() is None and time.monotonic() < begun + patience.AT_MOST:
            try:
                self.request("GET", "/_matrix/client/versions")
                patience.took(time.monotonic() - begun)
                return
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                time.sleep(0.5)
        raise RuntimeError(f"{self.server_name} does not start")

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def register(self, name, password):
        """Returns the new user's id."""
        script = pathlib.Path(sys.executable).with_name("register_new_matrix_user")
        subprocess.run([script, "-c", self.config, "-u", name, "-p", password, "--no-admin",
                        self.url], check=True, capture_output=True)
        return f"@{name}:{self.server_name}"

    def request(self, method, path, body=None, token=None):
        request = urllib.request.Request(self.url + path, method=method)
        if token:
            request.add_header("Authorization", f"Bearer {token}")
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(request, data, timeout=patience.limit()) as answer:
            return json.load(answer)

    def login(self, user, password):
        """A device of its own, without keys: it sees what the server sees."""
        answer = self.request("POST", "/_matrix/client/v3/login", {
            "type": "m.login.password", "password": password,
            "identifier": {"type": "m.id.user", "user": user}})
        return answer["access_token"]

    def timeline(self, room, token):
        """All events of a room, as this server has them."""
        events, start = [], ""
        while start is not None:
            path = (f"/_matrix/client/v3/rooms/{urllib.parse.quote(room)}/messages"
                    f"?dir=b&limit=100{start}")
            page = self.request("GET", path, token=token)
            events += page["chunk"]
            end = page.get("end") if page["chunk"] else None
            start = None if end is None else "&from=" + urllib.parse.quote(end)
        return events
