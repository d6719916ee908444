/* prose.c - what fields, messages and extensions are for.  The sentences are in prose.def; tools/check-prose and
 * tests/explain keep them complete. */
#include "explain/view.h"

static const struct prose rows[] = {
#define P(path, rfc, text) { path, rfc, text },
#include "explain/prose.def"
#undef P
};

const struct prose *prose_rows(size_t *n)
{
    *n = COUNT_OF(rows);
    return rows;
}

static const struct prose *find(const char *parent, const char *name)
{
    size_t n = strlen(parent);
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (!strncmp(rows[i].path, parent, n) && rows[i].path[n] == '.' && !strcmp(rows[i].path + n + 1, name))
            return &rows[i];
    return NULL;
}

const struct prose *prose_of(const char *parent, const char *name)
{
    const struct prose *row = find(!strcmp(parent, "ClientHelloInner") ? "ClientHello" : parent, name);
    return row ? row : find("*", name);
}

const char *message_purpose(const char *type)
{
    static const struct {
        const char *type, *purpose;
    } all[] = {
        { "ClientHello", "The client says what it can do; for TLS 1.3 it offers its half of the key exchange as well." },
        { "HelloRetryRequest", "The server can go on, but first needs another hello: with a different key share, or with its cookie given back." },
        { "ServerHello", "The server's choices; in TLS 1.3 its half of the key exchange as well, and the last message that anybody can read." },
        { "EncryptedExtensions", "Answers that need not be public: the first message under the new keys." },
        { "CertificateRequest", "The server asks the client to show a certificate too." },
        { "Certificate", "A chain of certificates: who this is, and who vouches for it." },
        { "CompressedCertificate", "The certificate message, made smaller (RFC 8879)." },
        { "CertificateVerify", "A signature over everything said so far: it proves possession of the certificate's key." },
        { "CertificateStatus", "What the authority says of the certificate's revocation, brought along by the server." },
        { "Finished", "A checksum, under the new keys, over the whole conversation: nobody changed a byte." },
        { "EndOfEarlyData", "The early data ends here; handshake keys take over." },
        { "NewSessionTicket", "A ticket with which a later connection can be resumed without certificates." },
        { "KeyUpdate", "From the next record on, this side uses the next generation of its key." },
        { "ServerKeyExchange", "The server's half of the key exchange, as a rule signed with its certificate's key (TLS 1.2)." },
        { "ServerHelloDone", "The server has said all it has to say; the client goes on (TLS 1.2)." },
        { "ClientKeyExchange", "The client's half of the key exchange (TLS 1.2)." },
        { "HelloRequest", "The server would like to renegotiate. troth never does (TLS 1.2)." },
        { "change_cipher_spec", "Means nothing in TLS 1.3 and keeps old middleboxes calm; in TLS 1.2: my next record is encrypted." },
        { "Alert", "A verdict or a goodbye: one byte says how grave, one byte says why." },
        { "X.509 certificate", "One certificate of the chain, in DER." },
        { "ClientHelloInner", "The ClientHello that was hidden in the outer one (Encrypted Client Hello)." },
    };
    for (size_t i = 0; i < COUNT_OF(all); i++)
        if (!strcmp(type, all[i].type))
            return all[i].purpose;
    return "";
}
