/* Tests of state/redis_url.c. */
#include "state/redis_url.h"
#include "tests/state/suite.h"

#include <string.h>

static const struct url_case {
    const char *text;
    bool is_unix;
    const char *host; /* null: the text is refused */
    uint16_t port;
    const char *user, *password;
    unsigned database;
} url_cases[] = {
    {"redis://localhost", false, "localhost", 6379, "", "", 0},
    {"redis://localhost/", false, "localhost", 6379, "", "", 0},
    {"redis://10.0.0.1:7000/3", false, "10.0.0.1", 7000, "", "", 3},
    {"redis://h:1/65535", false, "h", 1, "", "", 65535},
    {"redis://h:65535", false, "h", 65535, "", "", 0},
    {"redis://[::1]", false, "::1", 6379, "", "", 0},
    {"redis://[::1]:7000/1", false, "::1", 7000, "", "", 1},
    {"redis://:secret@h", false, "h", 6379, "", "secret", 0},
    {"redis://me:s%40%3A%2f@h:1", false, "h", 1, "me", "s@:/", 0},
    {"redis://me:a:b@h", false, "h", 6379, "me", "a:b", 0},
    {"unix:/run/redis.sock", true, "/run/redis.sock", 0, "", "", 0},
    {"unix:relative?x", true, "relative?x", 0, "", "", 0},
    {"redis+unix:///run/s", true, "/run/s", 0, "", "", 0},
    {"redis+unix:///run/s?db=7", true, "/run/s", 0, "", "", 7},
    {"redis+unix://u:p@/run/a%20b?db=0", true, "/run/a b", 0, "u", "p", 0},
    {"redis://", false, NULL, 0, NULL, NULL, 0},
    {"redis://:6379", false, NULL, 0, NULL, NULL, 0},
    {"redis://h:0", false, NULL, 0, NULL, NULL, 0},
    {"redis://h:65536", false, NULL, 0, NULL, NULL, 0},
    {"redis://h:", false, NULL, 0, NULL, NULL, 0},
    {"redis://h:1x", false, NULL, 0, NULL, NULL, 0},
    {"redis://h:-1", false, NULL, 0, NULL, NULL, 0},
    {"redis://h:99999999999", false, NULL, 0, NULL, NULL, 0},
    {"redis://h/x", false, NULL, 0, NULL, NULL, 0},
    {"redis://h/65536", false, NULL, 0, NULL, NULL, 0},
    {"redis://h/1/2", false, NULL, 0, NULL, NULL, 0},
    {"redis://[::1", false, NULL, 0, NULL, NULL, 0},
    {"redis://[::1]x", false, NULL, 0, NULL, NULL, 0},
    {"redis://[]", false, NULL, 0, NULL, NULL, 0},
    {"redis://user@h", false, NULL, 0, NULL, NULL, 0},
    {"redis://:%4@h", false, NULL, 0, NULL, NULL, 0},
    {"redis://:%@h", false, NULL, 0, NULL, NULL, 0},
    {"redis://:%zz@h", false, NULL, 0, NULL, NULL, 0},
    {"redis://:a%00@h", false, NULL, 0, NULL, NULL, 0},
    {"redis+unix://run/s", false, NULL, 0, NULL, NULL, 0},
    {"redis+unix://", false, NULL, 0, NULL, NULL, 0},
    {"redis+unix:///run/s?", true, "/run/s", 0, "", "", 0},
    {"redis+unix:///run/s?d=1", false, NULL, 0, NULL, NULL, 0},
    {"redis+unix:///run/s?db=", false, NULL, 0, NULL, NULL, 0},
    {"redis+unix:///run/s?db=1&x", false, NULL, 0, NULL, NULL, 0},
    {"redis+unix://user@/run/s", false, NULL, 0, NULL, NULL, 0},
    {"unix:", false, NULL, 0, NULL, NULL, 0},
    {"rediss://h", false, NULL, 0, NULL, NULL, 0},
    {"", false, NULL, 0, NULL, NULL, 0},
};

START_TEST(a_url_is_taken_apart_or_refused)
{
    for (size_t i = 0; i < sizeof url_cases / sizeof *url_cases; i++) {
        const struct url_case *row = &url_cases[i];
        struct state__redis_url url = {.port = 42};
        struct state_error err = {""};
        enum state_status status =
            state__redis_url_parse(row->text, &url, &err);

        ck_assert_msg(status == (row->host ? STATE_OK : STATE_INVALID),
                      "%s: %s", row->text, err.message);
        if (row->host == NULL) {
            ck_assert_str_ne(err.message, "");
            ck_assert_uint_eq(url.port, 42);
            continue;
        }
        ck_assert_int_eq(url.is_unix, row->is_unix);
        ck_assert_str_eq(url.host, row->host);
        ck_assert_uint_eq(url.port, row->port);
        ck_assert_str_eq(url.user, row->user);
        ck_assert_str_eq(url.password, row->password);
        ck_assert_uint_eq(url.database, row->database);
    }
}
END_TEST

START_TEST(a_description_says_where_and_keeps_the_password)
{
    struct state__redis_url url;
    char text[64];

    ck_assert_int_eq(
        state__redis_url_parse("redis://u:secret@h:7/1", &url, NULL),
        STATE_OK);
    state__redis_url_describe(&url, text, sizeof text);
    ck_assert_str_eq(text, "h:7");
    ck_assert_int_eq(state__redis_url_parse("unix:/a/b", &url, NULL),
                     STATE_OK);
    state__redis_url_describe(&url, text, sizeof text);
    ck_assert_str_eq(text, "/a/b");
    state__redis_url_describe(&url, text, 3);
    ck_assert_str_eq(text, "/a");
}
END_TEST

int
main(void)
{
    const TTest *tests[] = {
        a_url_is_taken_apart_or_refused,
        a_description_says_where_and_keeps_the_password,
        NULL,
    };

    return run_suite("redis url", tests);
}
