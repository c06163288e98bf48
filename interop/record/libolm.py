"""Records vectors from the real libolm. Usage: libolm.py <folder>"""

import sys

import libolm_backup
import libolm_megolm
import libolm_megolm_indices
import libolm_olm
import libolm_olm_refused
import libolm_olm_state
import libolm_pickles
import libolm_sas

COMMAND = "python3 interop/record/libolm.py test-vectors"


def main(out):
    for scenes in (libolm_olm, libolm_olm_refused, libolm_megolm):
        for make in scenes.TRANSCRIPTS:
            make().write(out, COMMAND)
    libolm_olm_state.messages(out, COMMAND)
    libolm_olm_state.session_pickles(out, COMMAND)
    libolm_megolm_indices.ratchets(out, COMMAND)
    libolm_megolm_indices.decryptions(out, COMMAND)
    libolm_megolm_indices.trace(out, COMMAND)
    libolm_sas.verifications(out, COMMAND)
    libolm_backup.everything(out, COMMAND)
    libolm_pickles.everything(out, COMMAND)


if __name__ == "__main__":
    main(sys.argv[1])
