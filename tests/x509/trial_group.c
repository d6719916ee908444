/* trial_group.c - see trial_group.h. */
#include "trial_group.h"

struct trial *t;

int trial_setup(void **state)
{
    (void)state;
    t = trial_new();
    return 0;
}

int trial_teardown(void **state)
{
    (void)state;
    trial_free(t);
    return 0;
}
