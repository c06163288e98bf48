"""A typed program, which type checkers must accept."""

# pyright: strict, deprecateTypingAliases=false

from typing import Dict, Optional, Tuple

import vodozemac

account = vodozemac.Account()
keys: Dict[str, vodozemac.Curve25519PublicKey] = account.one_time_keys
session: vodozemac.Session = account.create_outbound_session(account.curve25519_key, keys["id"])
parts: Tuple[int, bytes] = session.encrypt(b"text").to_parts()
first: Optional[vodozemac.PreKeyMessage] = vodozemac.AnyOlmMessage.from_parts(*parts).to_pre_key()
if first is not None:
    inbound: Tuple[vodozemac.Session, bytes] = account.create_inbound_session(
        account.curve25519_key, first
    )
group = vodozemac.GroupSession()
receiver = vodozemac.InboundGroupSession(group.session_key)
plaintext: bytes = receiver.decrypt(group.encrypt(b"text")).plaintext
numbers: Tuple[int, int, int] = (
    vodozemac.Sas().diffie_hellman(account.curve25519_key).bytes("info").decimals
)
key: vodozemac.Curve25519SecretKey = vodozemac.PkDecryption().key
