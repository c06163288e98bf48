"""times.py PACKAGE...: microseconds of processor time of each operation with each package, and the ratio of the first
package's time to the last one's. The packages take turns, each in a process of its own."""

import json
import os
import subprocess
import sys
import time

ROUNDS = 30


def operations(olm):
    """Pairs of a name and how often it is done in a round, and what to do."""
    alice, bob = olm.Account(), olm.Account()
    bob.generate_one_time_keys(1)
    key = next(iter(bob.one_time_keys["curve25519"].values()))
    outbound = olm.OutboundSession(alice, bob.identity_keys["curve25519"], key)
    inbound = olm.InboundSession(bob, outbound.encrypt("x"))
    text = "x" * 1000
    signature = alice.sign(text)
    ed25519 = alice.identity_keys["ed25519"]
    group = olm.OutboundGroupSession()
    receiver = olm.InboundGroupSession(group.session_key)
    message = group.encrypt(text)
    exported = receiver.export_session(0)
    new, stored = alice.pickle("key"), receiver.pickle("key")
    alice.generate_one_time_keys(50)
    account = alice.pickle("key")

    def both_ways():
        inbound.decrypt(outbound.encrypt(text))
        outbound.decrypt(inbound.encrypt(text))

    inbound.decrypt(outbound.encrypt(text))
    return {
        "new account": (10, olm.Account),
        "50 one-time keys": (1, lambda: olm.Account().generate_one_time_keys(50)),
        "sign 1 kB": (20, lambda: alice.sign(text)),
        "verify": (20, lambda: olm.ed25519_verify(ed25519, text, signature)),
        "Olm: a message and its answer, 1 kB each": (5, both_ways),
        "Megolm: encrypt 1 kB": (20, lambda: group.encrypt(text)),
        "Megolm: decrypt 1 kB": (20, lambda: receiver.decrypt(message)),
        "store an account with 50 one-time keys": (10, lambda: alice.pickle("key")),
        "load it": (10, lambda: olm.Account.from_pickle(account, "key")),
        "load a new account": (10, lambda: olm.Account.from_pickle(new, "key")),
        "load a group session": (50, lambda: olm.InboundGroupSession.from_pickle(stored, "key")),
        "import a room key": (50, lambda: olm.InboundGroupSession.import_session(exported)),
        "import a room key, decrypt 1 kB": (
            20, lambda: olm.InboundGroupSession.import_session(exported).decrypt(message)),
        "new outbound group session": (20, olm.OutboundGroupSession),
    }


def serve(package):
    """Measures a round for each line of input."""
    package = os.path.abspath(package)
    sys.path.insert(0, package)
    import olm

    assert olm.__file__.startswith(package), olm.__file__
    todo = operations(olm)
    for _ in sys.stdin:
        took = {}
        for name, (count, work) in todo.items():
            begun = time.process_time_ns()
            for _ in range(count):
                work()
            took[name] = (time.process_time_ns() - begun) / 1000 / count
        print(json.dumps(took), flush=True)


def main(packages):
    processes = [
        subprocess.Popen([sys.executable, "-B", __file__, "--serve", package], text=True,
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for package in packages
    ]
    least = [{} for _ in packages]
    for _ in range(ROUNDS):
        for process, best in zip(processes, least):
            process.stdin.write("\n")
            process.stdin.flush()
            for name, took in json.loads(process.stdout.readline()).items():
                best[name] = min(took, best.get(name, took))
    for process in processes:
        process.stdin.close()
        process.wait()
    for name in least[0]:
        times = [best[name] for best in least]
        print(f"| {name} |", " | ".join(f"{took:.0f}" for took in times),
              f"| {times[0] / times[-1]:.1f} |")


if __name__ == "__main__":
    if sys.argv[1] == "--serve":
        serve(sys.argv[2])
    else:
        main(sys.argv[1:])
