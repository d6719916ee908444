/* limits.h - every bound in the library, with its reason.
 *
 * A number that protects against a peer is here and nowhere else. */
#ifndef BASE_LIMITS_H
#define BASE_LIMITS_H

enum limits {
    /* records (RFC 9846 5.1, 5.2; RFC 5246 6.2) */
    LIMIT_PLAINTEXT = 16384,            /* content of a record                                                        */
    LIMIT_CIPHERTEXT_13 = 16384 + 256,  /* what protection may add in TLS 1.3                                         */
    LIMIT_CIPHERTEXT_12 = 16384 + 2048, /* and in TLS 1.2                                                             */
    LIMIT_RECORD_HEADER = 5,
    LIMIT_EMPTY_RECORDS = 32,           /* records without content in a row: nothing legal needs more                 */
    LIMIT_WARNING_ALERTS = 4,           /* warnings in a row before the peer is taken to be up to no good             */
    LIMIT_KEY_UPDATES = 32,             /* KeyUpdates in a row without application data between                       */
    LIMIT_CCS = 32,                     /* ignorable change_cipher_spec records                                       */

    /* handshake messages */
    LIMIT_MESSAGE = 131396,             /* any message except Certificate: the longest ClientHello that can be written */
    LIMIT_CERTIFICATE_MESSAGE = 131072, /* a chain of large post-quantum certificates fits                            */
    LIMIT_CHAIN = 16,                   /* certificates in one message                                                */
    LIMIT_EXTENSIONS = 64,              /* extensions of a certificate, a request, an OCSP response                   */
    LIMIT_EXTENSIONS_KEPT = 104,        /* of a hello: every one that we know, and some                               */
    LIMIT_UNKNOWN_KEPT = 32,            /* that we do not; of more only the type is looked at                         */
    LIMIT_KEY_SHARES = 16,              /* KeyShareEntries in a ClientHello that are looked at                        */
    LIMIT_PSKS = 16,                    /* PSK identities in a ClientHello that are looked at                         */
    LIMIT_ECH_CONFIGS = 8,              /* configurations of an ECHConfigList that are looked at                      */
    LIMIT_OID_FILTERS = 64,             /* certificate extensions that a server may ask for                           */
    LIMIT_COOKIE_AGE = 60,              /* seconds between HelloRetryRequest and its cookie's return                  */
    LIMIT_TICKETS_KEPT = 8,             /* NewSessionTickets in a row given to the application                        */
    LIMIT_TICKETS_SEEN = 64,            /* in a row without application data between                                  */
    LIMIT_TICKET = 24576,               /* bytes of one that is offered: an encrypted hello has as many twice         */
    LIMIT_TICKET_LIFETIME = 604800,     /* seconds: RFC 9846 4.7.1                                                    */
    LIMIT_EARLY_DATA = 16384,           /* bytes of refused 0-RTT records that are passed over, whatever tickets allow  */

    /* what an application may put into a hello, of which all has to fit into 65535 bytes */
    LIMIT_LIST = 1024,                  /* numbers in a list: of everything there is there are fewer                  */
    LIMIT_ALPN = 16384,                 /* bytes of protocol names                                                    */

    /* QUIC */
    LIMIT_QUIC_WAITING = 131072,        /* handshake bytes that wait, while the application is asked or for its next call */
    LIMIT_QUIC_PARAMETERS = 16384,      /* transport parameters of our own: a hello with them still fits its message   */

    /* certificates */
    LIMIT_CERTIFICATE = 65535,          /* bytes of one certificate                                                   */
    LIMIT_DER_DEPTH = 16,               /* nesting; certificates need 8                                               */
    LIMIT_NAMES_IN_CERT = 1024,         /* SANs that are looked at one by one before the budget applies               */
    LIMIT_CERTIFICATES = 16384,         /* given for one verdict: more than there are authorities in the world        */
    LIMIT_RDN_ATTRIBUTES = 32,          /* in one RelativeDistinguishedName; real ones have one or two                */
    LIMIT_POLICIES = 512,               /* policies or mappings in one certificate                                    */
    LIMIT_PATH_DEPTH = 12,              /* certificates between leaf and anchor by default                            */
    LIMIT_BUILD_DATE = 1793491200,      /* 2026-11-01: a clock that shows less is wrong                               */
    LIMIT_BUDGET_SIGNATURES = 125,      /* signature verifications for one verdict; a slow key's count as several     */
    LIMIT_BUDGET_STEPS = 5120,          /* issuer candidates tried for one verdict                                    */
    LIMIT_BUDGET_NAMES = 312500,        /* comparisons of a name with a constraint for one verdict                    */
                                        /* a fifth of each is kept for a second look (x509/path.c)                    */

    LIMIT_CRL_EXTENSIONS = 64,          /* of a CRL or of one of its entries                                          */
    LIMIT_DIST_POINTS = 64,             /* distribution points of a certificate that are looked at                    */
    LIMIT_DP_NAMES = 64,                /* names of one distribution point, of one certificateIssuer                  */
    LIMIT_OCSP_RESPONSES = 1024,        /* SingleResponses in one OCSP response                                       */
    LIMIT_OCSP_CERTS = 8,               /* certificates in a response among which its signer is looked for           */
    LIMIT_OCSP_SKEW = 300,              /* seconds that a responder's clock may be ahead                             */
    LIMIT_OCSP_NO_NEXT = 86400,         /* seconds a response without nextUpdate is taken for fresh                   */
    LIMIT_SCTS = 64,                    /* in one list                                                                */

    /* secrets and names */
    LIMIT_HOST_NAME = 253,              /* RFC 1035: a DNS name in text                                               */
    LIMIT_DNS_LABEL = 63,
};

#endif
