/*
 * check_origin.c - tests of http/origin.c.
 */
#include "http/origin.h"
#include "tests/support/suite.h"

#include <check.h>
#include <string.h>

static const struct {
    const char *authority;
    bool local;
} hosts[] = {
    {"localhost", true},
    {"LocalHost:8080", true},
    {"a.b.localhost:1", true},
    {"127.0.0.1", true},
    {"127.0.0.1:8080", true},
    {"127.255.255.255", true},
    {"[::1]", true},
    {"[::1]:8080", true},
    {"", false},
    {":8080", false},
    {"localhost:", false},
    {"localhost.", false},
    {".localhost", false},
    {"evillocalhost", false},
    {"localhost.evil.example", false},
    {"127.0.0.1.evil.example", false},
    {"127.0.0.1.", false},
    {"127.0.0", false},
    {"127.0.0.256", false},
    {"128.0.0.1", false},
    {"127.0.0.1.1", false},
    {"127..0.1", false},
    {"[::2]", false},
    {"[::1", false},
    {"user@localhost", false},
    {"glass.example", false},
};

START_TEST(only_names_of_this_machine_are_local)
{
    const char *authority = hosts[_i].authority;

    ck_assert_msg(http__origin_host_is_local(authority, strlen(authority)) ==
                      hosts[_i].local,
                  "'%s' should%s be local", authority,
                  hosts[_i].local ? "" : " not");
}
END_TEST

static const struct {
    const char *origin;
    const char *authority;
    bool own;
} origins[] = {
    {"http://localhost:8080", "localhost:8080", true},
    {"HTTP://LOCALHOST:8080", "localhost:8080", true},
    {"http://127.0.0.1:8080", "127.0.0.1:8080", true},
    {"http://localhost:3000", "localhost:8080", false},
    {"http://localhost", "localhost:8080", false},
    {"http://localhost:80800", "localhost:8080", false},
    {"https://localhost:8080", "localhost:8080", false},
    {"http://evil.example", "localhost:8080", false},
    {"null", "localhost:8080", false},
    {"", "localhost:8080", false},
};

START_TEST(an_origin_is_own_when_it_is_the_server_itself)
{
    ck_assert_int_eq(http__origin_is_own(origins[_i].origin,
                                         origins[_i].authority,
                                         strlen(origins[_i].authority)),
                     origins[_i].own);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("http/origin");
    TCase *tests = tcase_create("origin");

    tcase_add_loop_test(tests, only_names_of_this_machine_are_local, 0,
                        sizeof(hosts) / sizeof(*hosts));
    tcase_add_loop_test(tests, an_origin_is_own_when_it_is_the_server_itself,
                        0, sizeof(origins) / sizeof(*origins));
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
