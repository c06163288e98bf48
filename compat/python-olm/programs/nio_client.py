"""The commands of interop/matrix/nio_peer.py. There libolm is a shared library; here it is a part
of python-olm's module, which is named after --library."""

import asyncio

import loaded
import nio_peer

nio_peer.check_library = loaded.check
asyncio.run(nio_peer.main())
