/* A whole conversation in memory whose borders are watched, and the two things that a caller may do
 * to any object: clear it twice, and ask it for absurd lengths (S-40). What can be wrong with a
 * single call is in sweep.cpp.
 *
 * Every object has exactly the bytes its size function asks for, and every output exactly those its
 * length function names; they lie against forbidden pages, at odd addresses, or on a heap watched
 * by AddressSanitizer or valgrind (fence.h). Objects are freed without being cleared: they must not
 * hold anything that would leak. */
#include <olm/olm.h>
#include <olm/pk.h>
#include <olm/sas.h>

#include "fence.h"

static enum fence_place place;
static struct fence fences[64];
static size_t fence_count;

/* A new block; all of them are looked at and freed by end_of_story(). It is dirty, as recycled
 * memory is. */
static void *block(size_t size) {
    if (fence_count == sizeof fences / sizeof fences[0]) abort();
    struct fence *fence = &fences[fence_count++];
    *fence = fence_new(place, size);
    return memset(fence_block(fence, size), 0xFF, size);
}

static void *random_block(size_t size) {
    static uint32_t state = 1;
    uint8_t *bytes = (uint8_t *)block(size);
    for (size_t i = 0; i < size; i++) bytes[i] = (uint8_t)((state = state * 1664525 + 1013904223) >> 24);
    return bytes;
}

static void end_of_story(const char *story) {
    for (size_t i = 0; i < fence_count; i++) {
        if (!fence_intact(&fences[i])) {
            fprintf(stderr, "%s, %s: something beside block %zu was written\n", fence_names[place], story, i);
            exit(1);
        }
        fence_free(&fences[i]);
    }
    fence_count = 0;
}

#define PROMISE(what, condition)                                                                          \
    do {                                                                                                  \
        if (!(condition)) fprintf(stderr, "%s: %s: %s\n", fence_names[place], what, #condition), exit(1); \
    } while (0)

/* ---- Accounts and a session ---- */

static OlmAccount *new_account(void) {
    OlmAccount *account = olm_account(block(olm_account_size()));
    PROMISE("an account is made", olm_create_account(account, random_block(64), 64) == 0);
    return account;
}

struct text {
    char *characters;
    size_t length, type;
};

static struct text copy_of(struct text text) {
    struct text copy = {(char *)block(text.length), text.length, text.type};
    memcpy(copy.characters, text.characters, text.length);
    return copy;
}

static struct text encrypt(OlmSession *session, const char *plaintext) {
    struct text message = {NULL, olm_encrypt_message_length(session, strlen(plaintext)),
                           olm_encrypt_message_type(session)};
    size_t random = olm_encrypt_random_length(session);
    message.characters = (char *)block(message.length);
    PROMISE("a message is encrypted", olm_encrypt(session, plaintext, strlen(plaintext), random_block(random), random,
                                                  message.characters, message.length) == message.length);
    return message;
}

static void decrypts(OlmSession *session, struct text message, const char *expected) {
    struct text copy = copy_of(message);
    size_t room = olm_decrypt_max_plaintext_length(session, copy.type, copy.characters, copy.length);
    PROMISE("the plaintext's length is known", room != olm_error());
    char *plaintext = (char *)block(room);
    copy = copy_of(message);
    PROMISE("the plaintext's length", olm_decrypt(session, copy.type, copy.characters, copy.length, plaintext, room) ==
                                          strlen(expected));
    PROMISE("the plaintext", memcmp(plaintext, expected, strlen(expected)) == 0);
}

static void accounts_and_a_session(void) {
    OlmAccount *alice = new_account(), *bob = new_account();
    PROMISE("one-time keys", olm_account_generate_one_time_keys(bob, 100, random_block(3200), 3200) == 100);
    PROMISE("one-time keys over the limit", olm_account_generate_one_time_keys(bob, 9, random_block(288), 288) == 9);
    for (int i = 0; i < 3; i++)
        PROMISE("a fallback key", olm_account_generate_fallback_key(bob, random_block(32), 32) == 1);

    size_t length = olm_account_one_time_keys_length(bob);
    char *one_time_keys = (char *)block(length);
    PROMISE("JSON of 100 keys", olm_account_one_time_keys(bob, one_time_keys, length) == length);
    length = olm_account_identity_keys_length(bob);
    char *identity_keys = (char *)block(length);
    PROMISE("JSON of the keys", olm_account_identity_keys(bob, identity_keys, length) == length);

    OlmSession *to_bob = olm_session(block(olm_session_size())), *to_alice = olm_session(block(olm_session_size()));
    PROMISE("an outbound session", olm_create_outbound_session(to_bob, alice, identity_keys + 15, 43,
                                                               one_time_keys + 25, 43, random_block(64), 64) == 0);
    struct text first = encrypt(to_bob, "first"), second = encrypt(to_bob, "second"), copy = copy_of(first);
    PROMISE("an inbound session", olm_create_inbound_session(to_alice, bob, copy.characters, copy.length) == 0);
    decrypts(to_alice, second, "second");
    decrypts(to_alice, first, "first");
    PROMISE("the key is used up", olm_remove_one_time_keys(bob, to_alice) != olm_error());
    decrypts(to_bob, encrypt(to_alice, ""), "");

    /* The largest account there is, to its pickle and back. */
    length = olm_pickle_account_length(bob);
    char *pickle = (char *)block(length);
    PROMISE("a pickle", olm_pickle_account(bob, NULL, 0, pickle, length) == length);
    OlmAccount *again = olm_account(block(olm_account_size()));
    PROMISE("the pickle is read", olm_unpickle_account(again, NULL, 0, pickle, length) == length);
    end_of_story("accounts and a session");
}

/* A session with every place for a key in use: forty skipped keys, five chains. */
static void a_full_session(void) {
    OlmAccount *alice = new_account(), *bob = new_account();
    PROMISE("a one-time key", olm_account_generate_one_time_keys(bob, 1, random_block(32), 32) == 1);
    char *one_time_keys = (char *)block(71), *identity_keys = (char *)block(116);
    PROMISE("JSON of a key", olm_account_one_time_keys(bob, one_time_keys, 71) == 71);
    PROMISE("JSON of the keys", olm_account_identity_keys(bob, identity_keys, 116) == 116);
    OlmSession *to_bob = olm_session(block(olm_session_size())), *to_alice = olm_session(block(olm_session_size()));
    PROMISE("an outbound session", olm_create_outbound_session(to_bob, alice, identity_keys + 15, 43,
                                                               one_time_keys + 25, 43, random_block(64), 64) == 0);
    struct text message = encrypt(to_bob, "x");
    struct text copy = copy_of(message);
    PROMISE("an inbound session", olm_create_inbound_session(to_alice, bob, copy.characters, copy.length) == 0);
    char buffer[1000], random[32];
    for (int turn = 0; turn < 7; turn++) {
        for (int i = 0; i < 20; i++) {
            size_t type = olm_encrypt_message_type(to_bob);
            size_t length = olm_encrypt(to_bob, "x", 1, random, 32, buffer, sizeof buffer);
            if (i % 10 == 9)
                PROMISE("decrypting", olm_decrypt(to_alice, type, buffer, length, buffer + 500, 500) == 1);
        }
        size_t type = olm_encrypt_message_type(to_alice);
        memset(random, turn + 1, sizeof random);
        size_t length = olm_encrypt(to_alice, "x", 1, random, 32, buffer, sizeof buffer);
        PROMISE("an answer", olm_decrypt(to_bob, type, buffer, length, buffer + 500, 500) == 1);
        memset(random, 0x40 + turn, sizeof random);
    }
    char *description = (char *)block(600);
    olm_session_describe(to_alice, description, 600);
    size_t length = olm_pickle_session_length(to_alice);
    char *pickle = (char *)block(length);
    PROMISE("a pickle", olm_pickle_session(to_alice, "key", 3, pickle, length) == length);
    OlmSession *again = olm_session(block(olm_session_size()));
    PROMISE("the pickle is read", olm_unpickle_session(again, "key", 3, pickle, length) == length);
    end_of_story("a full session");
}

static void a_room(void) {
    OlmOutboundGroupSession *room = olm_outbound_group_session(block(olm_outbound_group_session_size()));
    OlmInboundGroupSession *member = olm_inbound_group_session(block(olm_inbound_group_session_size()));
    uint8_t *key = (uint8_t *)block(306), *exported = (uint8_t *)block(220);
    PROMISE("a session", olm_init_outbound_group_session(room, (uint8_t *)random_block(160), 160) == 0);
    PROMISE("its key", olm_outbound_group_session_key(room, key, 306) == 306);
    PROMISE("a member", olm_init_inbound_group_session(member, key, 306) == 0);
    for (size_t size = 0; size < 40; size += 13) {
        size_t length = olm_group_encrypt_message_length(room, size), padded = (size / 16 + 1) * 16;
        uint8_t *plaintext = (uint8_t *)random_block(size), *event = (uint8_t *)block(length);
        uint8_t *decrypted = (uint8_t *)block(padded);
        uint32_t *index = (uint32_t *)block(4), read;
        PROMISE("an event", olm_group_encrypt(room, plaintext, size, event, length) == length);
        PROMISE("its length", olm_group_decrypt(member, event, length, decrypted, padded, index) == size);
        PROMISE("its plaintext", memcmp(decrypted, plaintext, size) == 0);
        memcpy(&read, index, 4);
        PROMISE("its index", read == size / 13);
    }
    PROMISE("an export", olm_export_inbound_group_session(member, exported, 220, 1000) == 220);
    PROMISE("its import", olm_import_inbound_group_session(member, exported, 220) == 0);
    end_of_story("a room");
}

static void backup_and_verification(void) {
    OlmPkDecryption *backup = olm_pk_decryption(block(olm_pk_decryption_size()));
    OlmPkEncryption *device = olm_pk_encryption(block(olm_pk_encryption_size()));
    char *key = (char *)block(43), *ephemeral = (char *)block(43), *mac = (char *)block(11);
    PROMISE("a key", olm_pk_key_from_private(backup, key, 43, random_block(32), 32) == 0);
    PROMISE("its other half", olm_pk_encryption_set_recipient_key(device, key, 43) == 0);
    for (size_t size = 0; size < 40; size += 13) {
        size_t length = olm_pk_ciphertext_length(device, size), room = olm_pk_max_plaintext_length(backup, length);
        char *text = (char *)block(length), *decrypted = (char *)block(room), *plaintext = (char *)random_block(size);
        PROMISE("encrypting", olm_pk_encrypt(device, plaintext, size, text, length, mac, 11, ephemeral, 43,
                                             random_block(32), 32) != olm_error());
        PROMISE("decrypting", olm_pk_decrypt(backup, ephemeral, 43, mac, 11, text, length, decrypted, room) == size);
        PROMISE("the plaintext", memcmp(decrypted, plaintext, size) == 0);
    }
    OlmSAS *sas = olm_sas(block(olm_sas_size()));
    PROMISE("a SAS", olm_create_sas(sas, random_block(32), 32) == 0);
    PROMISE("their key", olm_sas_set_their_key(sas, key, 43) == 0);
    PROMISE("bytes", olm_sas_generate_bytes(sas, "info", 4, block(77), 77) == 0);
    PROMISE("a MAC", olm_sas_calculate_mac(sas, "input", 5, "info", 4, block(43), 43) == 0);
    end_of_story("backup and verification");
}

/* ---- What may be done to any object ---- */

/* Cleared once or twice, a used object is what a new one is. */
static void clearing(void) {
    OlmAccount *account = new_account(), *fresh = olm_account(block(olm_account_size()));
    char *pickle = (char *)block(246), *blank = (char *)block(246);
    for (int times = 1; times <= 3; times++) {
        PROMISE("clear gives the size", olm_clear_account(account) == olm_account_size());
        PROMISE("it is blank", olm_pickle_account(account, "", 0, pickle, 246) == 246);
        PROMISE("as blank as a new one", olm_pickle_account(fresh, "", 0, blank, 246) == 246);
        PROMISE("to the last character", memcmp(pickle, blank, 246) == 0);
    }
    PROMISE("its error is gone", olm_account_last_error_code(account) == OLM_SUCCESS);
    PROMISE("it can be used again", olm_create_account(account, random_block(64), 64) == 0);

    OlmSession *session = olm_session(block(olm_session_size()));
    OlmOutboundGroupSession *outbound = olm_outbound_group_session(block(olm_outbound_group_session_size()));
    OlmInboundGroupSession *inbound = olm_inbound_group_session(block(olm_inbound_group_session_size()));
    OlmUtility *utility = olm_utility(block(olm_utility_size()));
    OlmPkEncryption *encryption = olm_pk_encryption(block(olm_pk_encryption_size()));
    OlmPkDecryption *decryption = olm_pk_decryption(block(olm_pk_decryption_size()));
    OlmPkSigning *signing = olm_pk_signing(block(olm_pk_signing_size()));
    OlmSAS *sas = olm_sas(block(olm_sas_size()));
    for (int times = 0; times < 2; times++) {
        olm_clear_session(session), olm_clear_outbound_group_session(outbound);
        olm_clear_inbound_group_session(inbound), olm_clear_utility(utility), olm_clear_sas(sas);
        olm_clear_pk_encryption(encryption), olm_clear_pk_decryption(decryption), olm_clear_pk_signing(signing);
    }
    end_of_story("clearing");
}

/* A length function never names fewer bytes than go in, however many these are; and what is asked
 * for without enough random bytes is refused. */
static void absurd_lengths(void) {
    OlmAccount *account = new_account();
    OlmSession *session = olm_session(block(olm_session_size()));
    OlmOutboundGroupSession *room = olm_outbound_group_session(block(olm_outbound_group_session_size()));
    OlmPkEncryption *device = olm_pk_encryption(block(olm_pk_encryption_size()));
    for (size_t below = 0; below < 70; below++) {
        const size_t absurd[] = {SIZE_MAX - below, SIZE_MAX / 2 + 35 - below, SIZE_MAX / 4 * 3 + 35 - below,
                                 SIZE_MAX / 32 + 35 - below};
        for (size_t i = 0; i < 4; i++) {
            size_t n = absurd[i];
            PROMISE("a message's length", olm_encrypt_message_length(session, n) >= n);
            PROMISE("an event's length", olm_group_encrypt_message_length(room, n) >= n);
            PROMISE("a ciphertext's length", olm_pk_ciphertext_length(device, n) >= n);
            PROMISE("random bytes", olm_account_generate_one_time_keys_random_length(account, n) >= n);
            PROMISE("keys", olm_account_generate_one_time_keys(account, n, NULL, 0) == olm_error());
            PROMISE("their error", olm_account_last_error_code(account) == OLM_NOT_ENOUGH_RANDOM);
        }
    }
    end_of_story("absurd lengths");
}

int main(void) {
    for (int i = 0; i < FENCE_PLACES; i++) {
        place = (enum fence_place)i;
        accounts_and_a_session();
        a_full_session();
        a_room();
        backup_and_verification();
        clearing();
        absurd_lengths();
    }
    puts("six stories in four kinds of memory");
    return 0;
}
