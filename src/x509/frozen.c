/* frozen.c - a policy that was built: counted, shared, never changed. */
#include "x509/verify.h"

const struct troth_policy *policy_share(const struct troth_policy *p)
{
    struct troth_policy *counted = (struct troth_policy *)(uintptr_t)p;
    if (counted)
        __atomic_add_fetch(&counted->owners, 1, __ATOMIC_RELAXED);
    return p;
}

void policy_release(const struct troth_policy *p)
{
    struct troth_policy *counted = (struct troth_policy *)(uintptr_t)p;
    if (!counted || __atomic_sub_fetch(&counted->owners, 1, __ATOMIC_ACQ_REL))
        return;
    struct arena arena = counted->arena; /* the policy lives in it */
    troth_provider *provider = counted->provider;
    arena_free(&arena);
    troth_provider_free(provider);
}

troth_policy *troth_policy_share(troth_policy *p)
{
    policy_share(p);
    return p;
}

void troth_policy_free(troth_policy *p)
{
    policy_release(p);
}
