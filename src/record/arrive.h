/* arrive.h - from bytes to something the engine can act on: cut a record, open it, and say what it is.
 *
 * The rules about which record may come when are here, for both versions: record types, change_cipher_spec and middlebox compatibility,
 * alerts, empty records, interleaving, 0-RTT data that was refused.  One call gives one thing:
 *
 *      switch (arrive(&a, &in, &read, &messages, e, &got)) {
 *      case ARRIVED_NOTHING:    RECV: more bytes are needed
 *      case ARRIVED_HANDSHAKE:  take messages with messages_next() until it says MORE
 *      case ARRIVED_DATA:       got.data: application data, where it lies in the input buffer (never empty)
 *      case ARRIVED_CCS:        TLS 1.2: the peer's change_cipher_spec
 *      case ARRIVED_CLOSE:      close_notify: nothing after it counts
 *      case ARRIVED_ALERT:      got.alert: a fatal one, the peer's verdict
 *      case ARRIVED_BAD:        the error is set
 *      }
 *
 * Warnings that mean nothing, change_cipher_spec records that TLS 1.3 drops, empty data and refused early data never come out: it goes on
 * to the next record.  Must be called only when the messages of the last fragment were taken. */
#ifndef RECORD_ARRIVE_H
#define RECORD_ARRIVE_H

#include "record/deframe.h"
#include "record/messages.h"
#include "record/protect.h"

/* Early data that the server refused (RFC 9846 4.3.10). */
enum skip {
    SKIP_NONE,
    SKIP_UNREADABLE, /* records that cannot be opened are such data, until one can be: refused without HelloRetryRequest           */
    SKIP_DATA        /* application_data records are, until another type comes: refused by HelloRetryRequest, reading in the clear */
};

/* The engine sets the rules as the handshake goes on; arrive() keeps the counts. */
struct arrivals {
    bool     tls13;       /* the rules of TLS 1.3 for alerts, and nothing in the clear once keys are on; false while the version is open */
    bool     drop_ccs;    /* a change_cipher_spec in the clear is dropped: TLS 1.3, or the version open, from the first ClientHello until
                           * the peer's Finished (RFC 9846 5)                                                                            */
    bool     take_ccs;    /* TLS 1.2: a change_cipher_spec may come now (ARRIVED_CCS)                                                    */
    bool     take_data;   /* application data may come now                                                                               */
    bool     clear_alert; /* TLS 1.3, handshake keys: until the first record was opened with them an alert in the clear is believed.  A
                           * peer that could not take our hello has no keys to say so with; it can only end the handshake                */
    uint8_t  skip;        /* enum skip                                                                                                   */
    uint32_t skip_left;   /* bytes of records that may still be passed over; beyond that EARLY_DATA_FLOOD                                */
    uint8_t  empties, warnings, ccs; /* counts: in a row, in a row, in all                                                               */
    bool     canceled;    /* user_canceled came                                                                                          */
};

struct arrived {
    span    data;        /* ARRIVED_DATA                     */
    uint8_t alert;       /* ARRIVED_ALERT: AlertDescription  */
    uint8_t alert_level; /* as it came                       */
    bool    alert_clear; /* it came in the clear in spite of keys: clear_alert */
};

enum arrival { ARRIVED_NOTHING, ARRIVED_HANDSHAKE, ARRIVED_DATA, ARRIVED_CCS, ARRIVED_CLOSE, ARRIVED_ALERT, ARRIVED_BAD };

enum arrival MUST_USE arrive(struct arrivals *a, struct inbuf *in, struct protect *read, struct messages *m, troth_error *e,
                             struct arrived *got);

#endif
