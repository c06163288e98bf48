"""A typed program, which type checkers must accept."""

# pyright: strict, deprecateTypingAliases=false

from typing import Dict, Tuple, Union

import olm


class Device(olm.Account):
    name: str = ""


device: Device = Device.from_pickle(Device().pickle("key"), passphrase="key")
keys: Dict[str, str] = device.identity_keys
one_time_keys: Dict[str, Dict[str, str]] = device.one_time_keys
session = olm.OutboundSession(device, keys["curve25519"], b"key")
message: Union[olm.OlmPreKeyMessage, olm.OlmMessage] = session.encrypt("text")
text: str = session.decrypt(message, unicode_errors="strict")
group = olm.OutboundGroupSession()
receiver: olm.InboundGroupSession = olm.InboundGroupSession.import_session(group.session_key)
event: Tuple[str, int] = receiver.decrypt(group.encrypt(b"event"))
backup = olm.PkDecryption.from_pickle(b"pickle", "key")
public_key: str = backup.public_key
mac: str = olm.Sas(public_key).calculate_mac_fixed_base64("message", "info")
olm.ed25519_verify(public_key, "message", "signature")
