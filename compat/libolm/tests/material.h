/* One object of every type in the middle of its life, and inputs that it takes: what sweep.cpp
 * starts from. */
#ifndef MATERIAL_H
#define MATERIAL_H

#include <olm/olm.h>
#include <olm/pk.h>
#include <olm/sas.h>

#include <string>
#include <vector>

#include "fence.h"

enum Type { ACCOUNT, SESSION, OUTBOUND, INBOUND, UTILITY, PK_ENCRYPTION, PK_DECRYPTION, PK_SIGNING, SAS, TYPES };

/* The bytes that "random" inputs have: another one each time, the same in every run. */
inline std::string some_bytes(size_t size) {
    static uint32_t state = 1;
    std::string bytes(size, 0);
    for (char &byte : bytes) {
        state = state * 1664525 + 1013904223;
        byte = static_cast<char>(state >> 24);
    }
    return bytes;
}

/* Objects at fixed places with watched borders, that can be put back to their blank or their used
 * state. */
class Objects {
public:
    explicit Objects(enum fence_place place) {
        const size_t sizes[TYPES] = {olm_account_size(), olm_session_size(), olm_outbound_group_session_size(),
                                     olm_inbound_group_session_size(), olm_utility_size(), olm_pk_encryption_size(),
                                     olm_pk_decryption_size(), olm_pk_signing_size(), olm_sas_size()};
        for (int type = 0; type < TYPES; type++) {
            fences[type] = fence_new(place, sizes[type]);
            fence_block(&fences[type], sizes[type]);
        }
        olm_account(at(ACCOUNT)), olm_session(at(SESSION)), olm_utility(at(UTILITY)), olm_sas(at(SAS));
        olm_outbound_group_session(at(OUTBOUND)), olm_inbound_group_session(at(INBOUND));
        olm_pk_encryption(at(PK_ENCRYPTION)), olm_pk_decryption(at(PK_DECRYPTION)), olm_pk_signing(at(PK_SIGNING));
        snapshot(blank);
    }
    ~Objects() {
        for (struct fence &fence : fences) fence_free(&fence);
    }
    Objects(const Objects &) = delete;
    void remember_as_used() { snapshot(used); }

    template <class T> T *get(Type type) { return reinterpret_cast<T *>(at(type)); }
    uint8_t *at(int type) { return fences[type].block; }

    uint8_t *restore(int type, bool as_blank) {
        const std::string &state = (as_blank ? blank : used)[type];
        memcpy(at(type), state.data(), state.size());
        return at(type);
    }
    /* How many bytes differ from what restore() put there. */
    size_t changes(int type, bool as_blank) {
        const std::string &state = (as_blank ? blank : used)[type];
        if (memcmp(at(type), state.data(), state.size()) == 0) return 0;
        size_t count = 0;
        for (size_t i = 0; i < state.size(); i++) count += at(type)[i] != static_cast<uint8_t>(state[i]);
        return count;
    }
    bool intact(int type) { return fence_intact(&fences[type]); }

private:
    struct fence fences[TYPES];
    std::string blank[TYPES], used[TYPES];

    void snapshot(std::string *states) {
        for (int type = 0; type < TYPES; type++) {
            states[type] = std::string(reinterpret_cast<char *>(at(type)), fences[type].size);
        }
    }
};

/* Text that functions wrote and others take. */
struct Material {
    const std::string pickle_key = "pickle key", plaintext = "a plaintext of more than one block";
    std::string identity_key, their_identity_key, one_time_key;   /* Curve25519 */
    std::string signing_key, signed_text = "signed", signature;   /* Ed25519 */
    std::string pre_key_message, message;                         /* for the session */
    std::string event, session_key, exported_key;                 /* for the inbound group session */
    std::string ciphertext, mac, ephemeral_key;                   /* for the decryption object */
    std::string account_pickle, session_pickle, outbound_pickle, inbound_pickle, pk_pickle;

    explicit Material(Objects &objects);

private:
    static void must(size_t result) {
        if (result == olm_error()) fputs("the material could not be made\n", stderr), abort();
    }
    /* What a function writes that takes `before..., buffer, length`. */
    template <class F, class... Before> static std::string written(size_t length, F function, Before... before) {
        std::string text(length, 0);
        must(function(before..., reinterpret_cast<uint8_t *>(&text[0]), length));
        return text;
    }
    template <class Object, class L, class F> std::string pickled(Object *object, L length, F function) const {
        return written(length(object), function, object, pickle_key.data(), pickle_key.size());
    }
    static std::string encrypt(OlmSession *session, const std::string &plaintext) {
        std::string random = some_bytes(olm_encrypt_random_length(session));
        return written(olm_encrypt_message_length(session, plaintext.size()), olm_encrypt, session, plaintext.data(),
                       plaintext.size(), static_cast<void *>(&random[0]), random.size());
    }
    static void decrypt(OlmSession *session, size_t type, std::string message) {
        char plaintext[1000];
        must(olm_decrypt(session, type, &message[0], message.size(), plaintext, sizeof plaintext));
    }
    static void make_account(OlmAccount *account) {
        std::string random = some_bytes(64);
        must(olm_create_account(account, &random[0], 64));
    }
};

inline Material::Material(Objects &objects) {
    auto *account = objects.get<OlmAccount>(ACCOUNT);
    auto *session = objects.get<OlmSession>(SESSION);
    std::vector<uint8_t> peer_memory(olm_account_size()), peer_session_memory(olm_session_size());
    OlmAccount *peer = olm_account(peer_memory.data());
    OlmSession *peer_session = olm_session(peer_session_memory.data());

    /* Accounts: the peer's, and ours with three one-time keys and two fallback keys. */
    make_account(peer);
    make_account(account);
    std::string random = some_bytes(96);
    must(olm_account_generate_one_time_keys(account, 3, &random[0], 96));
    for (int i = 0; i < 2; i++) {
        random = some_bytes(32);
        must(olm_account_generate_fallback_key(account, &random[0], 32));
    }
    std::string keys = written(olm_account_identity_keys_length(account), olm_account_identity_keys, account);
    identity_key = keys.substr(15, 43), signing_key = keys.substr(71, 43);
    keys = written(olm_account_identity_keys_length(peer), olm_account_identity_keys, peer);
    their_identity_key = keys.substr(15, 43);
    keys = written(olm_account_one_time_keys_length(account), olm_account_one_time_keys, account);
    one_time_key = keys.substr(25, 43);
    signature = written(86, olm_account_sign, account, signed_text.data(), signed_text.size());

    /* A session that answered, and skipped a message. */
    random = some_bytes(64);
    must(olm_create_outbound_session(peer_session, peer, identity_key.data(), 43, one_time_key.data(), 43, &random[0],
                                     64));
    pre_key_message = encrypt(peer_session, plaintext);
    std::string copy = pre_key_message;
    must(olm_create_inbound_session(session, account, &copy[0], copy.size()));
    decrypt(session, OLM_MESSAGE_TYPE_PRE_KEY, pre_key_message);
    decrypt(peer_session, OLM_MESSAGE_TYPE_MESSAGE, encrypt(session, plaintext));
    encrypt(peer_session, plaintext);
    decrypt(session, OLM_MESSAGE_TYPE_MESSAGE, encrypt(peer_session, plaintext));
    message = encrypt(peer_session, plaintext);

    /* A room. */
    auto *outbound = objects.get<OlmOutboundGroupSession>(OUTBOUND);
    auto *inbound = objects.get<OlmInboundGroupSession>(INBOUND);
    random = some_bytes(160);
    must(olm_init_outbound_group_session(outbound, reinterpret_cast<uint8_t *>(&random[0]), 160));
    session_key = written(306, olm_outbound_group_session_key, outbound);
    must(olm_init_inbound_group_session(inbound, reinterpret_cast<const uint8_t *>(session_key.data()), 306));
    event = written(olm_group_encrypt_message_length(outbound, plaintext.size()), olm_group_encrypt, outbound,
                    reinterpret_cast<const uint8_t *>(plaintext.data()), plaintext.size());
    exported_key.resize(220);
    must(olm_export_inbound_group_session(inbound, reinterpret_cast<uint8_t *>(&exported_key[0]), 220, 0));

    /* Backup and verification. */
    auto *decryption = objects.get<OlmPkDecryption>(PK_DECRYPTION);
    auto *encryption = objects.get<OlmPkEncryption>(PK_ENCRYPTION);
    std::string key(43, 0);
    must(olm_pk_key_from_private(decryption, &key[0], 43, some_bytes(32).data(), 32));
    must(olm_pk_encryption_set_recipient_key(encryption, key.data(), 43));
    ciphertext.resize(olm_pk_ciphertext_length(encryption, plaintext.size()));
    mac.resize(11), ephemeral_key.resize(43);
    must(olm_pk_encrypt(encryption, plaintext.data(), plaintext.size(), &ciphertext[0], ciphertext.size(), &mac[0], 11,
                        &ephemeral_key[0], 43, some_bytes(32).data(), 32));
    must(olm_pk_signing_key_from_seed(objects.get<OlmPkSigning>(PK_SIGNING), &key[0], 43, some_bytes(32).data(), 32));
    auto *sas = objects.get<OlmSAS>(SAS);
    random = some_bytes(32);
    must(olm_create_sas(sas, &random[0], 32));
    copy = their_identity_key;
    must(olm_sas_set_their_key(sas, &copy[0], 43));

    account_pickle = pickled(account, olm_pickle_account_length, olm_pickle_account);
    session_pickle = pickled(session, olm_pickle_session_length, olm_pickle_session);
    outbound_pickle = pickled(outbound, olm_pickle_outbound_group_session_length, olm_pickle_outbound_group_session);
    inbound_pickle = pickled(inbound, olm_pickle_inbound_group_session_length, olm_pickle_inbound_group_session);
    pk_pickle = pickled(decryption, olm_pickle_pk_decryption_length, olm_pickle_pk_decryption);
    objects.remember_as_used();
}

#endif
