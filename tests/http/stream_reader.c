/*
 * stream_reader.c - see stream_reader.h.
 */
#include "tests/http/stream_reader.h"

#include "tests/support/http_client.h"

#include <check.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

struct reader reader;

void
reader_begin(unsigned port, const char *target, const char *version,
             const char *headers)
{
    char head[1024];

    memset(&reader, 0, offsetof(struct reader, text) + 1);
    reader.fd = http_client_connect(port);
    snprintf(head, sizeof(head), "GET %s HTTP/%s\r\nHost: localhost\r\n%s\r\n",
             target, version, headers);
    http_client_send_text(reader.fd, head);
}

bool
reader_receive(void)
{
    ssize_t got = recv(reader.fd, reader.text + reader.length,
                       sizeof(reader.text) - 1 - reader.length, 0);

    ck_assert_msg(got >= 0, "nothing came: %.1000s",
                  reader.text + reader.seen);
    reader.length += (size_t)got;
    reader.text[reader.length] = '\0';
    return got > 0;
}

void
reader_await(const char *text)
{
    const char *found;

    while (!(found = strstr(reader.text + reader.seen, text)))
        ck_assert_msg(reader_receive(), "no '%s' in: %.1000s", text,
                      reader.text + reader.seen);
    reader.seen = (size_t)(found - reader.text) + strlen(text);
}
