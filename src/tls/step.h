/* step.h - the handshake as a table of what may arrive where (ADR 0003).
 *
 * A row says: in this state, when this arrives, do that, and then wait for one of these.  A pair without a row is unexpected_message;
 * a handler that leads elsewhere than its row allows is a bug that is caught.  So the tables are the whole graph: they are drawn
 * into docs/ (tools/draw-steps) and every pair is tested (tests/steps).
 *
 * Sending is not a state.  Answers of the application are inputs (A_...) like messages of the peer (M_...). */
#ifndef TLS_STEP_H
#define TLS_STEP_H

#include "base/span.h"

/* What we wait for.  Names of RFC 9846 A where it has one.  Shared by both roles and both versions: the tables tell them apart. */
#define STATES(S) \
    S(FAILED) S(START) S(CONNECTED) S(CONNECTED_12) \
    S(WAIT_SH) S(WAIT_SH_AGAIN) S(WAIT_EE) S(WAIT_CERT_CR) S(WAIT_CERT) S(WAIT_CV) S(WAIT_VERDICT) S(WAIT_FINISHED) S(WAIT_CLIENT) S(WAIT_SIGN) \
    S(WAIT_CH) S(WAIT_CH_AGAIN) S(WAIT_SERVER) S(WAIT_EOED) \
    /* TLS 1.2 (RFC 5246 7.3): client, then server */ \
    S(WAIT_CERT_12) S(WAIT_STATUS_12) S(WAIT_SKE_12) S(WAIT_CR_12) S(WAIT_SHD_12) S(WAIT_VERDICT_12) S(WAIT_CLIENT_12) S(WAIT_SIGN_12) \
    S(WAIT_NST_12) S(WAIT_CCS_12) S(WAIT_FINISHED_12) \
    S(WAIT_SIGN_SKE_12) S(WAIT_CLIENT_CERT_12) S(WAIT_CKE_12) S(WAIT_CV_12) \
    /* after the handshake (RFC 9846 4.7.2) */ \
    S(WAIT_LATE_CLIENT) S(WAIT_LATE_SIGN) S(WAIT_LATE_CERT) S(WAIT_LATE_CV) S(WAIT_LATE_VERDICT) S(WAIT_LATE_FINISHED)

enum state {
#define S(name) S_##name,
    STATES(S)
#undef S
    STATE_COUNT
};

/* What can arrive.  HelloRetryRequest is a message of its own; change_cipher_spec is one only in TLS 1.2. */
#define INPUTS(I) \
    I(M_UNKNOWN) I(M_HELLO_REQUEST) I(M_CLIENT_HELLO) I(M_SERVER_HELLO) I(M_HELLO_RETRY_REQUEST) I(M_NEW_SESSION_TICKET) \
    I(M_END_OF_EARLY_DATA) I(M_ENCRYPTED_EXTENSIONS) I(M_CERTIFICATE) I(M_SERVER_KEY_EXCHANGE) I(M_CERTIFICATE_REQUEST) \
    I(M_SERVER_HELLO_DONE) I(M_CERTIFICATE_VERIFY) I(M_CLIENT_KEY_EXCHANGE) I(M_FINISHED) I(M_CERTIFICATE_STATUS) \
    I(M_KEY_UPDATE) I(M_COMPRESSED_CERTIFICATE) I(M_CHANGE_CIPHER_SPEC) \
    I(A_START) I(A_SERVER) I(A_SIGNATURE) I(A_VERDICT) I(A_CLIENT)

enum input {
#define I(name) name,
    INPUTS(I)
#undef I
    INPUT_COUNT
};

struct troth_conn;
struct message; /* record/messages.h; of an answer of the application only `raw` counts */

enum step_flags {
    KEEP_BEFORE = 1, /* the handler needs the transcript as it was before this message: hs->before               */
    NOT_HASHED = 2,  /* not part of the transcript (HelloRequest and what comes after the handshake)             */
    ENDS_FLIGHT = 4  /* it is our turn then: nothing of the peer's may lie behind it                             */
};

#define TO(state) ((uint64_t)1 << S_##state)

struct step {
    enum state in;
    enum input on;
    enum state (*act)(struct troth_conn *, const struct message *);
    const char *name;  /* of act, for drawings */
    uint64_t   to;
    unsigned   flags;
};

#define DO(handler) handler, #handler

struct step_table {
    const char        *name; /* "client13"                              */
    bool               server;
    const struct step *rows;
    size_t             n;
};

/* All tables, NULL at the end; step.c lists them. */
extern const struct step_table *const step_tables[];
extern const struct step_table steps_client, steps_client13, steps_client12, steps_server, steps_server13, steps_server12;

const struct step *step_find(bool server, enum state in, enum input on);
const char *state_name(enum state);
const char *input_name(enum input);
/* What a message is for the tables: by its type and, for ServerHello, its random. */
enum input input_of(uint8_t handshake_type, span raw);

/* Takes one input: looks up its row, adds it to the transcript, runs the handler, checks where that leads.  False: c->error says why. */
bool MUST_USE hs_take(struct troth_conn *c, enum input on, const struct message *m);

#endif
