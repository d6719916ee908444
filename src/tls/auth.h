/* auth.h - CertificateVerify and Finished: who proves what over which bytes (RFC 9846 4.5.2, 4.5.3). */
#ifndef TLS_AUTH_H
#define TLS_AUTH_H

#include "tls/conn.h"

enum { SIGNED_MAX = 64 + 40 + TROTH_DIGEST_MAX };

/* What CertificateVerify signs: 64 spaces, context, zero, transcript hash.  `out` has SIGNED_MAX bytes. */
span auth_content(uint8_t *out, bool of_server, const struct digest *transcript);

/* The key that our CertificateVerify is made with; NULL: it is elsewhere, and the application is asked. */
const troth_key *auth_own_key(const struct troth_conn *c);
/* Our CertificateVerify over the transcript of now.  With a key of our own it is queued and *asked stays false; with an external one
 * the application is asked, *asked is true, and auth_answered goes on. */
bool MUST_USE auth_sign(struct troth_conn *c, bool *asked);
bool MUST_USE auth_answered(struct troth_conn *c, span signature);

/* The peer's CertificateVerify, over hs->before: scheme allowed and fitting, signature right. */
bool MUST_USE auth_verify(struct troth_conn *c, const struct message *m);

/* Does the scheme go with the peer's key, its kind and the parameters it is limited to (RFC 9846 4.3.3)? */
bool MUST_USE auth_fits_key(struct troth_conn *c, const struct scheme *s, uint16_t version);

/* Where the peer's CertificateVerify already lies behind its Certificate, its signature is verified along with the chain's: several cost
 * little more than one.  look_ahead: while Certificate is handled, the job, if there is one; note_ahead: how it came out.  auth_verify then
 * passes over the arithmetic, and nothing else, for this very message after this very transcript.  Not good is not a verdict. */
struct auth_ahead {
    uint8_t          content[SIGNED_MAX];
    span             part, message;
    struct digest    upto;
    troth_verify_job job;
};
struct auth_seen {
    span          message;
    struct digest upto;      /* of the transcript before it */
};
bool MUST_USE auth_look_ahead(struct troth_conn *c, struct auth_ahead *ahead);
bool MUST_USE auth_note_ahead(struct troth_conn *c, const struct auth_ahead *ahead);

/* Our Finished, queued; the peer's, checked over hs->before. */
bool MUST_USE auth_send_finished(struct troth_conn *c);
bool MUST_USE auth_check_finished(struct troth_conn *c, const struct message *m);

#endif
