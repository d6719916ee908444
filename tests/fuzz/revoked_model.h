/* revoked_model.h - what fuzz_revoked.c makes, in plain numbers, and what should come of it: the second reading of RFC 5280 6.3 and RFC 6960
 * 4.2.2.2.
 *
 * Must never look at bytes of a certificate, a CRL or a response, nor use anything of src/x509 but the times of the test's PKI. */
#ifndef TESTS_FUZZ_REVOKED_MODEL_H
#define TESTS_FUZZ_REVOKED_MODEL_H

#include <troth/verify.h>

#include "support/mkpki.h"

enum { M_POINTS = 2, M_CRLS = 6, M_OCSPS = 3, M_ENTRIES = 3, M_SINGLES = 2, M_SERIALS = 5, M_REASONS = 0x1fe, M_REMOVED = 8 };

/* Who there is.  MID2 and STRANGER have the intermediate's name and keys of their own. */
enum actor { A_ROOT, A_STRANGER, A_MID, A_MID2, A_LISTER, A_RESPONDER, A_LEAF, ACTORS };
enum m_name { N_ROOT, N_MID, N_LISTER, N_RESPONDER, N_LEAF };

/* General names, as bits; the first M_NAMES can be written in full.  PART is a name relative to that issuer. */
enum { M_URI_A, M_URI_B, M_DIR_ROOT, M_DIR_MID, M_DIR_LISTER, M_PART_MID, M_PART_LISTER, M_NAMES, M_PART_ROOT = M_NAMES, M_PART_RESPONDER };

extern const char *const m_subjects[ACTORS];
extern const uint8_t m_serials[M_SERIALS];
extern const struct m_actor {
    uint8_t name, serial; /* enum m_name */
} m_actors[ACTORS];

struct m_point {
    bool     present, relative;
    unsigned names, crl_issuer; /* bits; 0: absent       */
    uint32_t reasons;           /* 0: absent             */
};

struct m_cert {
    bool no_sign, no_usage, expired, odd; /* odd: with a critical extension that nobody knows */
    struct m_point points[M_POINTS];
    unsigned n_points;
};

struct m_entry {
    uint8_t  serial;
    int8_t   reason;  /* -1: absent */
    unsigned issuer;  /* bits       */
    bool     critical;
};

enum m_fault { M_SOUND, M_CRITICAL, M_NO_NUMBER, M_NUMBER_CRITICAL, M_NO_NEXT, M_BAD_SIGNATURE, M_FAULTS };
enum m_only { M_ANY, M_ONLY_USER, M_ONLY_CA, M_ONLY_ATTRIBUTE };

struct m_crl {
    uint8_t  by, name, number, base; /* enum actor, enum m_name; base 0: complete */
    bool     spelt;                  /* the name differs in case, spaces, string type */
    int64_t  since, until;
    unsigned fault, only;            /* enum m_fault, enum m_only */
    bool     indirect, relative, aki;
    uint32_t reasons;                /* 0: absent */
    unsigned names;                  /* bits      */
    struct m_entry entries[M_ENTRIES];
    unsigned n_entries;
};

struct m_single {
    uint8_t of, serial, hash, status; /* of: enum actor */
    int64_t since, until;             /* until 0: absent */
    bool    critical;
};

struct m_ocsp {
    uint8_t by;
    bool    by_key, no_certs, more_certs, nonce, bad, critical;
    int     failure;
    int64_t produced;
    struct m_single singles[M_SINGLES];
    unsigned n_singles;
};

struct model {
    enum troth_revocation revocation;
    bool          stapled, every_check; /* stapled: the first response is */
    uint8_t       lister_by, responder_by;
    unsigned      responder;            /* bits: 1 no EKU, 2 another, 4 nocheck */
    struct m_cert certs[ACTORS];
    struct m_crl  crls[M_CRLS];
    struct m_ocsp ocsps[M_OCSPS];
    unsigned      n_crls, n_ocsp;
};

struct m_expected {
    bool accepted, revoked, unknown; /* the two: of a certificate of the path, as far as it matters */
    bool otherwise;                  /* refused for a reason that is not revocation's                */
    bool no_answer;                  /* refused for its staple, which is none to the question        */
};

static inline bool m_has_idp(const struct m_crl *l)
{
    return l->only || l->indirect || l->reasons || l->names || l->relative;
}

enum actor m_issuer(const struct model *, enum actor);
void m_expect(struct m_expected *, const struct model *);

#endif
