/* What the files of check_backend_contract share. */
#ifndef GLASS_TESTS_STATE_CONTRACT_H
#define GLASS_TESTS_STATE_CONTRACT_H

#include <check.h>

/* The URL of the backend under test; set by the test case's fixture. */
const char *
contract_url(void);

/* Add the tests of the files contract_*.c to a case. */
void
contract_add_batches(TCase *tcase);

void
contract_add_expiry(TCase *tcase);

void
contract_add_lists(TCase *tcase);

void
contract_add_ranges(TCase *tcase);

void
contract_add_threads(TCase *tcase);

#endif
