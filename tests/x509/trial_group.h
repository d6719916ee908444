/* trial_group.h - one trial for a group of tests: cmocka's setup and teardown. */
#ifndef TESTS_X509_TRIAL_GROUP_H
#define TESTS_X509_TRIAL_GROUP_H

#include "x509/trial.h"

extern struct trial *t;
int trial_setup(void **state);
int trial_teardown(void **state);

#endif
