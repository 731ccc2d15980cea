/*
 * Who may send requests to a server without authentication: programs of this
 * machine, not web pages that a browser on it happens to show.
 */
#ifndef GLASS_HTTP_ORIGIN_H
#define GLASS_HTTP_ORIGIN_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Whether the authority `host[:port]` names this machine as a loopback: a
 * name that the owner of a domain points to 127.0.0.1 ("DNS rebinding") does
 * not.
 */
bool
http__origin_host_is_local(const char *authority, size_t length);

/*
 * Whether the header `Origin` names the server itself, which was addressed as
 * `authority`: the pages of other servers, on this machine too, do not, and
 * neither does `null`.
 */
bool
http__origin_is_own(const char *origin, const char *authority, size_t length);

#endif
