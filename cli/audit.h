/*
 * The audit log: a line of JSON for each act that changed a server, in
 * `audit.log` of its directory, where it is only ever added to.
 */
#ifndef GLASS_CLI_AUDIT_H
#define GLASS_CLI_AUDIT_H

struct http_act;

/*
 * Opens the log of a directory. Returns a descriptor for the caller to close,
 * or -1 with errno.
 */
int
audit_open(const char *directory);

/* Writes what a server was asked over HTTP. Any thread may call it. */
void
audit_write(int log, const struct http_act *act);

/* Writes what was done to a token by a command: "token create". */
void
audit_write_token(int log, const char *act, const char *id,
                  const char *namespace_);

#endif
