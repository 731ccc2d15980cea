/*
 * check_headers.c - tests of http/headers.c: what a proxy in front and this
 * server could read differently is refused, and the connection closed.
 */
#include "tests/http/one_world.h"
#include "tests/support/http_client.h"
#include "tests/support/suite.h"

#include <check.h>
#include <string.h>

#define FIRST "PUT /v1/state/a HTTP/1.1\r\nHost: localhost\r\n"
#define SECOND "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"

/*
 * Requests that are broken. Behind each comes another one, which must get no
 * answer: that is what smuggling is about.
 */
static const struct {
    const char *name;
    const char *text;
    int status; /* 0: closed without a word */
} broken[] = {
    {"both", FIRST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"
                   "0\r\n\r\n", 400},
    {"both, the other way",
     FIRST "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
     400},
    {"two lengths",
     FIRST "Content-Length: 0\r\nContent-Length: 5\r\n\r\n", 400},
    {"the same length twice",
     FIRST "Content-Length: 0\r\nContent-Length: 0\r\n\r\n", 400},
    {"two lengths, cases",
     FIRST "content-length: 0\r\nCONTENT-LENGTH: 5\r\n\r\n", 400},
    {"a list of lengths", FIRST "Content-Length: 0, 0\r\n\r\n", 400},
    {"a signed length", FIRST "Content-Length: +0\r\n\r\n", 400},
    {"a negative length", FIRST "Content-Length: -1\r\n\r\n", 400},
    {"a hexadecimal length", FIRST "Content-Length: 0x0\r\n\r\n", 400},
    {"a length with a fraction", FIRST "Content-Length: 0.0\r\n\r\n", 400},
    {"a length with a unit", FIRST "Content-Length: 0B\r\n\r\n", 400},
    {"an empty length", FIRST "Content-Length: \r\n\r\n", 400},
    {"a length of letters", FIRST "Content-Length: five\r\n\r\n", 400},
    {"a length of 2^64",
     FIRST "Content-Length: 18446744073709551616\r\n\r\n", 413},
    {"a length of 2^128",
     FIRST "Content-Length: 340282366920938463463374607431768211456\r\n\r\n",
     413},
    {"a length with a space behind", FIRST "Content-Length: 0 \r\n\r\n", 400},
    {"an unknown encoding",
     FIRST "Transfer-Encoding: gzip\r\n\r\n0\r\n\r\n", 400},
    {"two encodings",
     FIRST "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 400},
    {"chunked first",
     FIRST "Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n", 400},
    {"chunked twice",
     FIRST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"
           "0\r\n\r\n", 400},
    {"identity, then chunked",
     FIRST "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n\r\n"
           "0\r\n\r\n", 400},
    {"identity", FIRST "Transfer-Encoding: identity\r\n\r\n", 400},
    {"an empty encoding", FIRST "Transfer-Encoding: \r\n\r\n", 400},
    {"an almost chunked", FIRST "Transfer-Encoding: xchunked\r\n\r\n", 400},
    {"chunked in capitals",
     FIRST "Transfer-Encoding: Chunked\r\n\r\n0\r\n\r\n", 400},
    {"chunked with a space behind",
     FIRST "Transfer-Encoding: chunked \r\n\r\n0\r\n\r\n", 400},
    {"chunked with a tab in front of a quote",
     FIRST "Transfer-Encoding:\t\"chunked\"\r\n\r\n0\r\n\r\n", 400},
    {"a space before the colon",
     FIRST "Content-Length : 0\r\n\r\n", 400},
    {"a tab before the colon",
     FIRST "Transfer-Encoding\t: chunked\r\n\r\n0\r\n\r\n", 400},
    {"a space in a name", FIRST "X Y: 1\r\n\r\n", 400},
    {"an empty name", FIRST ": 1\r\n\r\n", 400},
    {"a name with a control byte", FIRST "X\001Y: 1\r\n\r\n", 400},
    {"a name with a high byte", FIRST "X\xe9: 1\r\n\r\n", 400},
    {"a name with parentheses", FIRST "X(Y): 1\r\n\r\n", 400},
    {"a name with a slash", FIRST "X/Y: 1\r\n\r\n", 400},
    {"a name in quotes", FIRST "\"X\": 1\r\n\r\n", 400},
    {"a name with an at", FIRST "X@Y: 1\r\n\r\n", 400},
    {"a name with a CR", FIRST "X\rContent-Length: 5\r\n\r\n", 400},
    {"a folded line", FIRST "X: 1\r\n 2\r\n\r\n", 400},
    {"a folded line with a tab", FIRST "X: 1\r\n\t2\r\n\r\n", 400},
    {"a folded length", FIRST "Content-Length: 1\r\n 0\r\n\r\n", 400},
    {"a folded encoding",
     FIRST "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n", 400},
    {"a folded name",
     FIRST "Content\r\n -Length: 5\r\n\r\n", 400},
    {"several folds", FIRST "X: 1\r\n 2\r\n 3\r\n\t4\r\n\r\n", 400},
    {"a fold of nothing", FIRST "X: 1\r\n \r\n\r\n", 400},
    {"a fold in front",
     "PUT /v1/state/a HTTP/1.1\r\n Host: localhost\r\n\r\n", 400},
    {"an empty name ends nothing",
     FIRST ": 1\r\nContent-Length: 1\r\n\r\na", 400},
    {"bare LF", "PUT /v1/state/a HTTP/1.1\nHost: localhost\n"
                "Content-Length: 0\n\n", 400},
    {"a bare LF behind the first line",
     "PUT /v1/state/a HTTP/1.1\nHost: localhost\r\n\r\n", 400},
    {"a bare LF behind a header",
     "PUT /v1/state/a HTTP/1.1\r\nHost: localhost\n\r\n", 400},
    {"a bare LF in the end",
     "PUT /v1/state/a HTTP/1.1\r\nHost: localhost\r\n\n", 400},
    {"a bare LF inside a value", FIRST "X: 1\nContent-Length: 0\r\n\r\n",
     400},
    {"a bare CR inside a value",
     FIRST "X: 1\rContent-Length: 5\r\n\r\n", 400},
    {"CR CR LF", FIRST "X: 1\r\r\n\r\n", 400},
    {"a line without a colon", FIRST "X\r\n\r\n", 400},
    {"no Host", "GET /healthz HTTP/1.1\r\n\r\n", 400},
    {"a version of words", "GET /healthz HTTP/one\r\n\r\n", 400},
    {"a version 2",
     "GET /healthz HTTP/2.0\r\nHost: localhost\r\n\r\n", 505},
    {"no version", "GET /healthz\r\nHost: localhost\r\n\r\n", 400},
    {"nothing but a method", "GET\r\n\r\n", 0},
    {"a space in the target",
     "GET /healthz /x HTTP/1.1\r\nHost: localhost\r\n\r\n", 400},
    {"a chunk of letters",
     FIRST "Transfer-Encoding: chunked\r\n\r\nxyz\r\n\r\n", 400},
    {"a chunk with a sign",
     FIRST "Transfer-Encoding: chunked\r\n\r\n+1\r\na\r\n0\r\n\r\n", 400},
    {"a negative chunk",
     FIRST "Transfer-Encoding: chunked\r\n\r\n-1\r\na\r\n0\r\n\r\n", 400},
    {"a chunk with 0x",
     FIRST "Transfer-Encoding: chunked\r\n\r\n0x1\r\na\r\n0\r\n\r\n", 400},
    {"an empty chunk size",
     FIRST "Transfer-Encoding: chunked\r\n\r\n\r\na\r\n0\r\n\r\n", 400},
    {"a space before the chunk size",
     FIRST "Transfer-Encoding: chunked\r\n\r\n 1\r\na\r\n0\r\n\r\n", 400},
    {"a space behind the chunk size",
     FIRST "Transfer-Encoding: chunked\r\n\r\n1 \r\na\r\n0\r\n\r\n", 400},
    {"a chunk of 2^64",
     FIRST "Transfer-Encoding: chunked\r\n\r\n10000000000000000\r\na\r\n",
     413},
    {"a chunk that is longer than it says",
     FIRST "Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n", 400},
};

START_TEST(a_broken_request_is_refused_and_the_connection_closed)
{
    struct http_answer answer;
    int fd = http_client_connect(world.port);

    http_client_send_text(fd, broken[_i].text);
    http_client_send_text(fd, SECOND);
    http_client_receive(fd, false, &answer);
    ck_assert_msg(answer.status == broken[_i].status, "%s: %d, not %d",
                  broken[_i].name, answer.status, broken[_i].status);
    /*
     * libmicrohttpd sends the head of some of its own answers twice, so there
     * may be more; but nothing of what the second request asks for.
     */
    char rest[1024];
    http_client_receive_rest(fd, rest, sizeof(rest));
    ck_assert_msg(!strstr(rest, "alive"), "%s: goes on", broken[_i].name);
    http_answer_deinit(&answer);
    http_client_close(fd);
}
END_TEST

/* What is wrong is said, so that the sender can put it right. */
static const struct {
    const char *text;
    const char *detail;
} reasons[] = {
    {FIRST "X: 1\r\n 2\r\n\r\n", "folded"},
    {FIRST "X: 1\nY: 2\r\n\r\n", "CR LF"},
    {FIRST "X Y: 1\r\n\r\n", "token"},
    {FIRST "X: 1\rY\r\n\r\n", "control byte"},
    {FIRST "Transfer-Encoding: x\r\n\r\n", "chunked"},
    {FIRST "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
     "exclude each other"},
    {FIRST "Content-Length: 1\r\nContent-Length: 1\r\n\r\n", "twice"},
    {"GET / HTTP/1.1\r\n\r\n", "Host"},
};

START_TEST(a_refusal_says_what_is_wrong)
{
    struct http_answer answer;
    int fd = http_client_connect(world.port);

    http_client_send_text(fd, reasons[_i].text);
    http_client_receive(fd, false, &answer);
    ck_assert_int_eq(answer.status, 400);
    ck_assert_msg(strstr(answer.body, reasons[_i].detail) != NULL, "%s",
                  answer.body);
    http_answer_deinit(&answer);
    http_client_close(fd);
}
END_TEST

/* Requests that look odd and are in order, or cannot be told from such. */
static const struct {
    const char *name;
    const char *text;
    int status;
} odd[] = {
    {"a length", FIRST "Content-Length: 1\r\n\r\na", 204},
    {"a length with zeros", FIRST "Content-Length: 0001\r\n\r\na", 204},
    {"spaces before the value", FIRST "Content-Length:   \t 1\r\n\r\na", 204},
    {"no space before it", FIRST "Content-Length:1\r\n\r\na", 204},
    {"a name of every kind of byte",
     FIRST "aZ09!#$%&'*+-.^_`|~: 1\r\nContent-Length: 1\r\n\r\na", 204},
    {"an empty value", FIRST "X:\r\nContent-Length: 1\r\n\r\na", 204},
    {"the same header twice",
     FIRST "X: 1\r\nX: 2\r\nContent-Length: 1\r\n\r\na", 204},
    {"chunks",
     FIRST "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n00A\r\n0123456789\r\n"
           "0\r\n\r\n", 204},
    {"a chunk with an extension",
     FIRST "Transfer-Encoding: chunked\r\n\r\n1;x=y\r\na\r\n0\r\n\r\n", 204},
    {"a trailer",
     FIRST "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX: 1\r\n\r\n",
     204},
    /* This one libmicrohttpd does not show: see docs/http.md. */
    {"a bare LF in chunks",
     FIRST "Transfer-Encoding: chunked\r\n\r\n1\na\n0\n\n", 204},
};

START_TEST(an_odd_request_is_answered_and_so_is_the_next)
{
    struct http_answer answer;
    int fd = http_client_connect(world.port);

    http_client_send_text(fd, odd[_i].text);
    http_client_send_text(fd, SECOND);
    http_client_receive(fd, false, &answer);
    ck_assert_msg(answer.status == odd[_i].status, "%s: %d, not %d",
                  odd[_i].name, answer.status, odd[_i].status);
    http_answer_deinit(&answer);
    http_client_receive(fd, false, &answer);
    ck_assert_msg(answer.status == 200, "%s: and then %d", odd[_i].name,
                  answer.status);
    http_answer_deinit(&answer);
    http_client_close(fd);
}
END_TEST

/* A NUL, which no C string can hold, in places where it hides something. */
static const struct {
    const char *name;
    const char *text; /* the NUL is the commercial at */
} hidden[] = {
    {"in a value", FIRST "X: 1@2\r\nContent-Length: 0\r\n\r\n"},
    {"at the end of the last value", FIRST "X: 1@\r\n\r\n"},
    {"in a name", FIRST "X@Content-Length: 5\r\n\r\n"},
    {"instead of a line", FIRST "@\r\nContent-Length: 5\r\n\r\n"},
    {"in the length", FIRST "Content-Length: 0@5\r\n\r\n"},
    {"in the target of the first line",
     "GET /v1/state@/x HTTP/1.1\r\nHost: localhost\r\n\r\n"},
    {"in the query of the first line",
     "GET /v1/state?limit=1@0 HTTP/1.1\r\nHost: localhost\r\n\r\n"},
    {"in the method of the first line",
     "GET@PUT /v1/state HTTP/1.1\r\nHost: localhost\r\n\r\n"},
    {"in the encoding",
     FIRST "Transfer-Encoding: chunked@,gzip\r\n\r\n0\r\n\r\n"},
};

START_TEST(a_hidden_nul_is_refused)
{
    struct http_answer answer;
    char text[1024];
    char rest[1024];
    int fd = http_client_connect(world.port);
    size_t length = strlen(hidden[_i].text);

    memcpy(text, hidden[_i].text, length);
    for (size_t index = 0; index < length; index++)
        if (text[index] == '@')
            text[index] = '\0';
    http_client_send(fd, text, length);
    http_client_send_text(fd, SECOND);
    http_client_receive(fd, false, &answer);
    ck_assert_msg(answer.status == 400, "%s: %d", hidden[_i].name,
                  answer.status);
    http_client_receive_rest(fd, rest, sizeof(rest));
    ck_assert_msg(!strstr(rest, "alive"), "%s: goes on", hidden[_i].name);
    http_answer_deinit(&answer);
    http_client_close(fd);
}
END_TEST

/*
 * Sends a request of which one byte is exchanged, and the second request;
 * returns the status of the first, and whether the second was answered.
 */
static int
send_with_byte(const char *before, int byte, const char *after, bool *goes_on)
{
    struct http_answer answer;
    const char one = (char)byte;
    char rest[2048] = "";
    int fd = http_client_connect(world.port);

    http_client_send_text(fd, before);
    http_client_send(fd, &one, 1);
    http_client_send_text(fd, after);
    http_client_send_text(fd, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n"
                              "Connection: close\r\n\r\n");
    http_client_receive(fd, false, &answer);
    http_client_receive_rest(fd, rest, sizeof(rest));
    *goes_on = strstr(rest, "alive") != NULL;
    http_answer_deinit(&answer);
    http_client_close(fd);
    return answer.status;
}

static bool
is_token_byte(int byte)
{
    return byte > 0 && byte < 0x80 &&
           strchr("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
                  "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
                  byte) != NULL;
}

#define HEAD "GET /healthz HTTP/1.1\r\nHost: localhost\r\n"

START_TEST(a_name_takes_the_bytes_of_a_token)
{
    for (int byte = 0; byte < 256; byte++) {
        bool goes_on;
        int status =
            send_with_byte(HEAD "Na", byte, "me: 1\r\n\r\n", &goes_on);
        /* With a colon it is another name, and "me: 1" its value. */
        bool fine = is_token_byte(byte) || byte == ':';
        ck_assert_msg(status == (fine ? 200 : 400) && goes_on == fine,
                      "byte %d: %d", byte, status);
    }
}
END_TEST

START_TEST(a_value_takes_every_byte_but_controls)
{
    for (int byte = 0; byte < 256; byte++) {
        bool goes_on;
        int status =
            send_with_byte(HEAD "X: va", byte, "lue\r\n\r\n", &goes_on);
        bool fine = byte == '\t' || (byte >= ' ' && byte != 0x7f);
        ck_assert_msg(status == (fine ? 200 : 400) && goes_on == fine,
                      "byte %d: %d", byte, status);
    }
}
END_TEST

START_TEST(a_target_takes_every_byte_but_spaces_and_controls)
{
    for (int byte = 0; byte < 256; byte++) {
        bool goes_on;
        int status =
            send_with_byte("GET /v1/state?prefix=a", byte,
                           "b HTTP/1.1\r\nHost: localhost\r\n\r\n", &goes_on);
        bool fine = byte > ' ' && byte != 0x7f;
        if (byte == '%' || byte == '#' || byte == '&') {
            /* A bad escape, a fragment, an unknown parameter. */
            ck_assert_int_eq(status, 400);
            continue;
        }
        /* A line that ends too early is closed without a word. */
        ck_assert_msg(fine ? status == 200 : status == 400 || status == 0,
                      "byte %d: %d", byte, status);
        ck_assert_int_eq(goes_on, fine);
    }
}
END_TEST

/* The buffer grows while it is read; nothing in it may seem out of place. */
START_TEST(headers_may_fill_the_connections_memory)
{
    static const size_t value_lengths[] = {10, 50, 80, 100};
    static char text[65536];
    struct http_answer answer;
    int fd = http_client_connect(world.port);

    strcpy(text, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n");
    for (int count = 0; count < 90; count++) {
        size_t length = strlen(text);
        memset(text + length, 'x', value_lengths[_i]);
        strcpy(text + length, "X: ");
        text[length + 3] = 'y';
        strcpy(text + length + value_lengths[_i], "\r\n");
    }
    strcat(text, "\r\n");
    /* In two pieces, so that the first one is looked at before the second. */
    for (int round = 0; round < 2; round++) {
        size_t half = strlen(text) / 2;
        http_client_send(fd, text, half);
        http_client_send_text(fd, text + half);
        http_client_receive(fd, false, &answer);
        ck_assert_int_eq(answer.status, 200);
        http_answer_deinit(&answer);
    }
    http_client_close(fd);
}
END_TEST

START_TEST(a_request_may_come_byte_by_byte)
{
    static const char text[] = FIRST "Content-Length: 3\r\n\r\nabc" SECOND;
    struct http_answer answer;
    int fd = http_client_connect(world.port);

    for (const char *byte = text; *byte; byte++)
        http_client_send(fd, byte, 1);
    http_client_receive(fd, false, &answer);
    ck_assert_int_eq(answer.status, 204);
    http_answer_deinit(&answer);
    http_client_receive(fd, false, &answer);
    ck_assert_int_eq(answer.status, 200);
    http_answer_deinit(&answer);
    http_client_close(fd);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("http/headers");
    TCase *tests = tcase_create("headers");

    tcase_add_checked_fixture(tests, open_world, close_world);
    tcase_add_loop_test(tests,
                        a_broken_request_is_refused_and_the_connection_closed,
                        0, COUNT(broken));
    tcase_add_loop_test(tests, a_refusal_says_what_is_wrong, 0,
                        COUNT(reasons));
    tcase_add_loop_test(tests, an_odd_request_is_answered_and_so_is_the_next,
                        0, COUNT(odd));
    tcase_add_loop_test(tests, a_hidden_nul_is_refused, 0, COUNT(hidden));
    tcase_add_test(tests, a_name_takes_the_bytes_of_a_token);
    tcase_add_test(tests, a_value_takes_every_byte_but_controls);
    tcase_add_test(tests, a_target_takes_every_byte_but_spaces_and_controls);
    tcase_add_loop_test(tests, headers_may_fill_the_connections_memory, 0, 4);
    tcase_add_test(tests, a_request_may_come_byte_by_byte);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
