/* stores.h - where other programs keep the authorities that they trust: the system's store, the databases of NSS (Firefox, Chromium), and
 * that of Java.
 *
 * Must never touch what is about another certificate, nor say that something is trusted without having looked. */
#ifndef CLI_STORES_H
#define CLI_STORES_H

#include <troth/types.h>

enum store_kind { STORE_SYSTEM, STORE_NSS, STORE_JAVA, STORE_KINDS };
enum { STORES_MOST = 64, STORE_PATH = 4096, STORE_WHY = 400 };

struct store {
    enum store_kind kind;
    char path[STORE_PATH];  /* of NSS the folder of the database        */
    bool trusts, changed;   /* as far as it is known                    */
    char why[STORE_WHY];    /* what went wrong; empty: nothing          */
};

struct stores {
    struct store all[STORES_MOST];
    size_t       n;
};

/* An authority's certificate, to be trusted or not. */
struct anchor {
    const char *path;       /* a file of it, PEM                        */
    troth_span  pem;        /* and of it alone                          */
    char        id[24];     /* what it is called in a store             */
};

/* "system", "nss", "java"; NULL behind the last. */
extern const char *const store_names[STORE_KINDS + 1];
/* What is read of it, for people. */
extern const char *const store_readers[STORE_KINDS];

/* Those of that kind which are here. */
void stores_find(struct stores *, enum store_kind);
/* That at a path; false: there is none. */
bool stores_at(struct stores *, const char *path);
/* Each sets what the store does now, and `why'. */
void store_look(struct store *, const struct anchor *);
void store_add(struct store *, const struct anchor *);
void store_remove(struct store *, const struct anchor *);

#endif
