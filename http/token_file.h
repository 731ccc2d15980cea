/*
 * The file of tokens. Its functions for operators are in http_token.h.
 */
#ifndef GLASS_HTTP_TOKEN_FILE_H
#define GLASS_HTTP_TOKEN_FILE_H

#include "http/tokens.h"

/*
 * Reads the tokens of a directory. Returns HTTP_NOT_FOUND when there is no
 * file, HTTP_INVALID when it makes no sense, HTTP_LIMIT when it is too large,
 * HTTP_SYSTEM or HTTP_NO_MEMORY.
 */
enum http_status
http__token_file_read(const char *directory, struct http__tokens **tokens,
                      struct http_error *err);

#endif
