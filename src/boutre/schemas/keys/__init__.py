"""
The keys of a bus, as files in one folder.

    members.toml                    public keys of members: id, member, public, revoked
    members/<member>.pem            a member's private key; on that member's machine only
    bus.toml                        public keys of the bus, by which recipients prove their views: id, public, revoked
    bus.pem                         the private key by which the bus signs; on the bus only
    recipients.toml                 public keys for which views are sealed: id, recipient, suite, public, from, until, revoked
    recipients/<recipient>/<id>.pem a recipient's private keys, which open its views; on that recipient's machine only
    recipients/<recipient>.key      32 random bytes in hexadecimal, by which its own names are made; on the bus only
    state.key                       likewise: by it digests are made of what workers remember
    old/                            private keys that were rotated

``development`` makes what is missing, for a laptop and the demo; on a real bus each makes its own, and hands over what is public.
"""

from __future__ import annotations

from boutre.schemas.keys.folder import KeyFolder

__all__ = ["KeyFolder"]
