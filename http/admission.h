/*
 * Whether a request is let in: everything that can be refused before its body
 * is read, in one order.
 */
#ifndef GLASS_HTTP_ADMISSION_H
#define GLASS_HTTP_ADMISSION_H

struct http__request;

/*
 * Checks framing, target, host, origin, route, token, parameters, namespace,
 * scopes and announced length, and begins the route. What is refused has an
 * answer afterwards. On the connection's thread, once the headers are read.
 */
void
http__admission_check(struct http__request *request);

#endif
