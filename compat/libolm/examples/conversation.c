/* Two devices talk: accounts, a session with messages both ways, and a room.
 *
 *     cc -o conversation conversation.c $(pkg-config --cflags --libs olm)
 */
#include <olm/olm.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Ends the program when a call failed, and says which error the object recorded. */
static size_t must(size_t result, const char *error) {
    if (result == olm_error()) {
        fprintf(stderr, "%s\n", error);
        exit(1);
    }
    return result;
}

static void random_bytes(void *bytes, size_t length) {
    FILE *source = fopen("/dev/urandom", "rb");
    if (!source || fread(bytes, 1, length, source) != length) exit(1);
    fclose(source);
}

static OlmAccount *new_account(void) {
    OlmAccount *account = olm_account(malloc(olm_account_size()));
    unsigned char random[64];
    random_bytes(random, sizeof random);
    must(olm_create_account(account, random, sizeof random), olm_account_last_error(account));
    return account;
}

/* The 43 characters of a key in the JSON that accounts publish. A client uses its JSON parser
 * here. */
static const char *key_after(const char *json, const char *name) {
    return strstr(json, name) + strlen(name);
}

int main(void) {
    unsigned char random[160];
    char text[1000], copy[1000], plaintext[1000];
    size_t length, type;

    /* Bob publishes his identity keys and a one-time key. */
    OlmAccount *alice = new_account(), *bob = new_account();
    char identity_keys[200] = "", one_time_keys[200] = "";
    random_bytes(random, 32);
    must(olm_account_generate_one_time_keys(bob, 1, random, 32), olm_account_last_error(bob));
    must(olm_account_identity_keys(bob, identity_keys, sizeof identity_keys), olm_account_last_error(bob));
    must(olm_account_one_time_keys(bob, one_time_keys, sizeof one_time_keys), olm_account_last_error(bob));
    olm_account_mark_keys_as_published(bob);

    /* Alice starts a session with them (a client has checked their signatures) and writes to
     * Bob. */
    OlmSession *to_bob = olm_session(malloc(olm_session_size()));
    random_bytes(random, 64);
    must(olm_create_outbound_session(to_bob, alice,
                                     key_after(identity_keys, "\"curve25519\":\""), 43,
                                     key_after(one_time_keys, "AAAAAQ\":\""), 43, random, 64),
         olm_session_last_error(to_bob));
    type = olm_encrypt_message_type(to_bob);
    random_bytes(random, 32);
    length = must(olm_encrypt(to_bob, "Hello Bob", 9, random, 32, text, sizeof text), olm_session_last_error(to_bob));

    /* Bob makes his end of the session from the message, decrypts it, and lets nobody use that
     * one-time key again. Messages are overwritten when they are read, so each call gets a copy. */
    OlmSession *to_alice = olm_session(malloc(olm_session_size()));
    memcpy(copy, text, length);
    must(olm_create_inbound_session(to_alice, bob, copy, length), olm_session_last_error(to_alice));
    length = must(olm_decrypt(to_alice, type, text, length, plaintext, sizeof plaintext),
                  olm_session_last_error(to_alice));
    must(olm_remove_one_time_keys(bob, to_alice), olm_account_last_error(bob));
    printf("Bob reads: %.*s\n", (int)length, plaintext);

    /* Bob answers. */
    type = olm_encrypt_message_type(to_alice);
    random_bytes(random, 32);
    length = must(olm_encrypt(to_alice, "Hello Alice", 11, random, 32, text, sizeof text),
                  olm_session_last_error(to_alice));
    length = must(olm_decrypt(to_bob, type, text, length, plaintext, sizeof plaintext), olm_session_last_error(to_bob));
    printf("Alice reads: %.*s\n", (int)length, plaintext);

    /* A room: Alice sends the key of a group session through the Olm session (left out here), then
     * one ciphertext to everybody. */
    OlmOutboundGroupSession *room = olm_outbound_group_session(malloc(olm_outbound_group_session_size()));
    OlmInboundGroupSession *member = olm_inbound_group_session(malloc(olm_inbound_group_session_size()));
    uint8_t key[400], event[1000], words[1000];
    uint32_t index;
    random_bytes(random, 160);
    must(olm_init_outbound_group_session(room, random, 160), olm_outbound_group_session_last_error(room));
    length = must(olm_outbound_group_session_key(room, key, sizeof key), olm_outbound_group_session_last_error(room));
    must(olm_init_inbound_group_session(member, key, length), olm_inbound_group_session_last_error(member));
    length = must(olm_group_encrypt(room, (const uint8_t *)"Hello all", 9, event, sizeof event),
                  olm_outbound_group_session_last_error(room));
    length = must(olm_group_decrypt(member, event, length, words, sizeof words, &index),
                  olm_inbound_group_session_last_error(member));
    printf("The room reads message %u: %.*s\n", (unsigned)index, (int)length, (const char *)words);

    olm_clear_account(alice), olm_clear_account(bob), olm_clear_session(to_bob), olm_clear_session(to_alice);
    olm_clear_outbound_group_session(room), olm_clear_inbound_group_session(member);
    free(alice), free(bob), free(to_bob), free(to_alice), free(room), free(member);
    return 0;
}
