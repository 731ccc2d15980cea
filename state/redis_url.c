/* URLs of Redis: see redis_url.h. */
#include "state/redis_url.h"

#include "state/error.h"

#include <stdio.h>
#include <string.h>

#define PORT_DEFAULT 6379
#define DATABASE_MAX 65535

/* A part of a URL; all of them are cut from the one text. */
struct part {
    const char *start;
    size_t length;
};

static int
hex_digit(char byte)
{
    if (byte >= '0' && byte <= '9')
        return byte - '0';
    if (byte >= 'a' && byte <= 'f')
        return byte - 'a' + 10;
    if (byte >= 'A' && byte <= 'F')
        return byte - 'A' + 10;
    return -1;
}

/* Copies a part, percent-decoded; false for a bad escape or a zero byte. */
static bool
decode(struct part part, char *text)
{
    size_t length = 0;

    for (size_t i = 0; i < part.length; i++) {
        char byte = part.start[i];

        if (byte == '%') {
            int high = -1, low = -1;

            if (i + 2 < part.length) {
                high = hex_digit(part.start[i + 1]);
                low = hex_digit(part.start[i + 2]);
            }
            if (high < 0 || low < 0 || high + low == 0)
                return false;
            byte = (char)(high * 16 + low);
            i += 2;
        }
        text[length++] = byte;
    }
    text[length] = '\0';
    return true;
}

/* A decimal number without sign, at most `max`. */
static bool
parse_number(struct part part, unsigned max, unsigned *number)
{
    unsigned value = 0;

    if (part.length == 0 || part.length > 9)
        return false;
    for (size_t i = 0; i < part.length; i++) {
        if (part.start[i] < '0' || part.start[i] > '9')
            return false;
        value = value * 10 + (unsigned)(part.start[i] - '0');
    }
    if (value > max)
        return false;
    *number = value;
    return true;
}

/*
 * Cuts the part before `byte` off the front of `rest`, together with the
 * byte. False, with nothing changed, when it is not there.
 */
static bool
cut(struct part *rest, char byte, struct part *front)
{
    const char *found = memchr(rest->start, byte, rest->length);

    if (found == NULL)
        return false;
    front->start = rest->start;
    front->length = (size_t)(found - rest->start);
    rest->length -= front->length + 1;
    rest->start = found + 1;
    return true;
}

/* USER:PASSWORD@, each of which may be missing. */
static bool
parse_login(struct part *rest, struct state__redis_url *url)
{
    struct part login, user = {"", 0};

    if (!cut(rest, '@', &login))
        return true;
    if (!cut(&login, ':', &user))
        return false;
    return decode(user, url->user) && decode(login, url->password);
}

static enum state_status
parse_unix(struct part rest, struct state__redis_url *url,
           struct state_error *err)
{
    struct part path, query = {"", 0};

    url->is_unix = true;
    if (!parse_login(&rest, url))
        return state__error_set(err, STATE_INVALID,
                                "a login in a URL is USER:PASSWORD@");
    path = rest;
    if (cut(&rest, '?', &path))
        query = rest;
    if (path.length == 0 || path.start[0] != '/' ||
        !decode(path, url->host))
        return state__error_set(err, STATE_INVALID,
                                "redis+unix:// needs an absolute path");
    if (query.length == 0)
        return STATE_OK;
    if (query.length < 3 || memcmp(query.start, "db=", 3) != 0 ||
        !parse_number((struct part){query.start + 3, query.length - 3},
                      DATABASE_MAX, &url->database))
        return state__error_set(err, STATE_INVALID,
                                "all that may follow the path is ?db=N");
    return STATE_OK;
}

/* HOST or [ADDRESS], and :PORT. */
static bool
parse_host(struct part rest, struct state__redis_url *url)
{
    struct part host, bracket;
    unsigned port = PORT_DEFAULT;

    if (rest.length > 0 && rest.start[0] == '[') {
        rest.start++;
        rest.length--;
        if (!cut(&rest, ']', &host))
            return false;
        if (rest.length > 0 &&
            (!cut(&rest, ':', &bracket) || bracket.length > 0 ||
             !parse_number(rest, UINT16_MAX, &port)))
            return false;
    } else if (!cut(&rest, ':', &host)) {
        host = rest;
    } else if (!parse_number(rest, UINT16_MAX, &port)) {
        return false;
    }
    url->port = (uint16_t)port;
    return port > 0 && host.length > 0 && decode(host, url->host);
}

static enum state_status
parse_tcp(struct part rest, struct state__redis_url *url,
          struct state_error *err)
{
    struct part host;

    if (!parse_login(&rest, url))
        return state__error_set(err, STATE_INVALID,
                                "a login in a URL is USER:PASSWORD@");
    if (!cut(&rest, '/', &host)) {
        host = rest;
        rest.length = 0;
    }
    if (!parse_host(host, url))
        return state__error_set(err, STATE_INVALID,
                                "redis:// needs HOST or HOST:PORT");
    if (rest.length > 0 && !parse_number(rest, DATABASE_MAX, &url->database))
        return state__error_set(err, STATE_INVALID,
                                "all that may follow the host is /DATABASE");
    return STATE_OK;
}

enum state_status
state__redis_url_parse(const char *text, struct state__redis_url *url,
                       struct state_error *err)
{
    static const char tcp[] = "redis://", socket[] = "redis+unix://";
    struct state__redis_url parsed = {0};
    enum state_status status = STATE_OK;

    if (strncmp(text, tcp, strlen(tcp)) == 0) {
        text += strlen(tcp);
        status = parse_tcp((struct part){text, strlen(text)}, &parsed, err);
    } else if (strncmp(text, socket, strlen(socket)) == 0) {
        text += strlen(socket);
        status = parse_unix((struct part){text, strlen(text)}, &parsed, err);
    } else if (strncmp(text, "unix:", 5) == 0 && text[5] != '\0') {
        parsed.is_unix = true;
        memcpy(parsed.host, text + 5, strlen(text + 5));
    } else {
        status = state__error_set(err, STATE_INVALID, "not a URL of Redis");
    }
    if (status == STATE_OK)
        *url = parsed;
    return status;
}

void
state__redis_url_describe(const struct state__redis_url *url, char *text,
                          size_t size)
{
    if (url->is_unix)
        snprintf(text, size, "%s", url->host);
    else
        snprintf(text, size, "%s:%u", url->host, (unsigned)url->port);
}
