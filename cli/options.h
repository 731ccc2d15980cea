/*
 * Options of the command line: one table per command, from which come the
 * parsing, the help and the structure that holds the values.
 *
 *     #define LIST_OPTIONS(X, H)                                           \
 *         X(H, TEXT, server, "server", "URL", "the server to talk to")    \
 *         X(H, FLAG, json, "json", NULL, "print JSON")
 *
 *     struct list_options { LIST_OPTIONS(OPTION_MEMBER, _) };
 *     static const struct option options[] = {
 *         LIST_OPTIONS(OPTION_ROW, struct list_options)
 *     };
 *
 * An option is `--name value` or `--name=value`; `--` ends them. What is not
 * given stays zero. A word that begins with a hyphen and a digit is no option,
 * so that negative numbers need no care.
 */
#ifndef GLASS_CLI_OPTIONS_H
#define GLASS_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Words in one command line that belong to no option, or to one list. */
#define CLI_WORDS_MAX 1024

struct words {
    const char *items[CLI_WORDS_MAX];
    size_t count;
};

enum option_kind {
    OPTION_FLAG,     /* bool */
    OPTION_TEXT,     /* const char * */
    OPTION_NUMBER,   /* uint64_t */
    OPTION_SIZE,     /* uint64_t, bytes: 64K, 16M, 1G */
    OPTION_DURATION, /* uint64_t, milliseconds: 250ms, 5s, 1m */
    OPTION_LIST,     /* struct words: the option may be repeated */
};

#define OPTION_TYPE_FLAG bool
#define OPTION_TYPE_TEXT const char *
#define OPTION_TYPE_NUMBER uint64_t
#define OPTION_TYPE_SIZE uint64_t
#define OPTION_TYPE_DURATION uint64_t
#define OPTION_TYPE_LIST struct words

/* For the tables: a member of the structure, and a row of the array. */
#define OPTION_MEMBER(holder, kind, member, name, metavar, help)              \
    OPTION_TYPE_##kind member;
#define OPTION_ROW(holder, kind, member, name, metavar, help)                 \
    {OPTION_##kind, name, metavar, help, offsetof(holder, member)},

struct option {
    enum option_kind kind;
    const char *name;
    const char *metavar; /* null for a flag */
    const char *help;
    size_t offset;
};

/*
 * Parses the words after the command's name into `values` (a structure of
 * zeros) and `words`. Those after `--` go to `rest` if it is not null. Says on
 * stderr what is wrong and returns false: an unknown option (and the nearest
 * that there is), a missing or a senseless value, too many words.
 */
bool
options_parse(const char *command, const struct option *options, size_t count,
              char **arguments, void *values, struct words *words,
              struct words *rest);

/* Whether `--help` or `-h` is among the words before a `--`. */
bool
options_ask_help(char **arguments);

/*
 * Takes `HOST[::GUEST]` apart, at the last colons: GUEST is what is returned,
 * all of the word when it is not said, and HOST its first `host_bytes`. Null
 * when one of them is empty.
 */
const char *
options_split_directory(const char *word, size_t *host_bytes);

/* Prints the options, two columns, to stdout. */
void
options_print(const struct option *options, size_t count);

/*
 * The one of `names` that is most like `word`, or null when none is much
 * alike.
 */
const char *
options_nearest(const char *word, const char *const *names, size_t count);

#endif
