/*
 * Parsing options, and telling what is wrong with them.
 *
 * The words are looked at one after the other. Those that are kept are not
 * copied: they are the process's own arguments and live as long as it does.
 */
#include "cli/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Names longer than this are not compared for likeness. */
#define NAME_BYTES_MAX 32

/* ---- Likeness --------------------------------------------------------- */

/* How many letters have to be put in, taken out or exchanged. */
static size_t
distance(const char *left, const char *right)
{
    size_t row[NAME_BYTES_MAX + 1];
    size_t left_length = strlen(left);
    size_t right_length = strlen(right);

    if (left_length > NAME_BYTES_MAX || right_length > NAME_BYTES_MAX)
        return SIZE_MAX;
    for (size_t column = 0; column <= right_length; column++)
        row[column] = column;
    for (size_t line = 1; line <= left_length; line++) {
        size_t diagonal = row[0];
        row[0] = line;
        for (size_t column = 1; column <= right_length; column++) {
            size_t least = diagonal + (left[line - 1] != right[column - 1]);
            if (least > row[column] + 1)
                least = row[column] + 1;
            if (least > row[column - 1] + 1)
                least = row[column - 1] + 1;
            diagonal = row[column];
            row[column] = least;
        }
    }
    return row[right_length];
}

const char *
options_nearest(const char *word, const char *const *names, size_t count)
{
    const char *nearest = NULL;
    size_t least = strlen(word) / 2 + 2;

    for (size_t index = 0; index < count; index++) {
        size_t length = strlen(word);
        /* The beginning of a name is as like as it gets. */
        size_t found = length > 0 && !strncmp(names[index], word, length)
                           ? 0
                           : distance(word, names[index]);
        if (found < least) {
            least = found;
            nearest = names[index];
        }
    }
    return nearest;
}

/* ---- Values ----------------------------------------------------------- */

struct unit {
    const char *name;
    uint64_t factor;
};

/* Each list ends with a null; no unit at all is one of them. */
static const struct unit sizes[] = {
    {"", 1},         {"K", 1 << 10},  {"KiB", 1 << 10}, {"M", 1 << 20},
    {"MiB", 1 << 20}, {"G", 1 << 30}, {"GiB", 1 << 30}, {NULL, 0},
};

static const struct unit durations[] = {
    {"", 1000},    {"ms", 1},        {"s", 1000},
    {"m", 60000}, {"h", 3600000}, {NULL, 0},
};

static const struct unit numbers[] = {{"", 1}, {NULL, 0}};

/* Reads digits and one of the units; returns false for anything else. */
static bool
parse_number(const char *text, const struct unit *units, uint64_t *number)
{
    uint64_t sum = 0;

    if (*text < '0' || *text > '9')
        return false;
    for (; *text >= '0' && *text <= '9'; text++)
        if (__builtin_mul_overflow(sum, 10u, &sum) ||
            __builtin_add_overflow(sum, (uint64_t)(*text - '0'), &sum))
            return false;
    for (; units->name; units++)
        if (strcmp(units->name, text) == 0)
            return !__builtin_mul_overflow(sum, units->factor, number);
    return false;
}

/* Stores a value; returns what it should have been, or null. */
static const char *
store(const struct option *option, const char *text, void *values)
{
    void *place = (char *)values + option->offset;
    struct words *list = place;

    switch (option->kind) {
    case OPTION_FLAG:
        *(bool *)place = true;
        return NULL;
    case OPTION_TEXT:
        *(const char **)place = text;
        return NULL;
    case OPTION_NUMBER:
        return parse_number(text, numbers, place) ? NULL : "a number";
    case OPTION_SIZE:
        return parse_number(text, sizes, place)
                   ? NULL
                   : "a number of bytes such as 65536, 64K or 1M";
    case OPTION_DURATION:
        return parse_number(text, durations, place)
                   ? NULL
                   : "a duration such as 250ms, 5s or 1m";
    case OPTION_LIST:
        if (list->count == CLI_WORDS_MAX)
            return "given less often";
        list->items[list->count++] = text;
        return NULL;
    }
    return "understood";
}

/* ---- The command line ------------------------------------------------- */

/* The option of that name, or null. */
static const struct option *
find(const struct option *options, size_t count, const char *name,
     size_t length)
{
    for (size_t index = 0; index < count; index++)
        if (strlen(options[index].name) == length &&
            memcmp(options[index].name, name, length) == 0)
            return &options[index];
    return NULL;
}

/* Says that `word` is no option, and which is most like it. */
static void
complain_unknown(const char *command, const struct option *options,
                 size_t count, const char *word)
{
    const char *names[64];
    char name[NAME_BYTES_MAX + 1];
    size_t name_count = 0;

    /* `--help` is there for every command. */
    names[name_count++] = "help";
    for (size_t index = 0; index < count && name_count < 64; index++)
        names[name_count++] = options[index].name;
    snprintf(name, sizeof(name), "%.*s", (int)strcspn(word, "="), word);
    const char *nearest =
        options_nearest(name + strspn(name, "-"), names, name_count);
    fprintf(stderr, "glass %s: there is no option '%s'", command, name);
    if (nearest)
        fprintf(stderr, "; did you mean '--%s'?", nearest);
    fprintf(stderr, "\n");
}

/* A lone hyphen is a file, and a hyphen before a digit is a number's sign. */
static bool
is_option(const char *word)
{
    return word[0] == '-' && word[1] != '\0' && word[1] != '.' &&
           !(word[1] >= '0' && word[1] <= '9');
}

/* Keeps a word that is no option; false, after a complaint, if it is full. */
static bool
add_word(const char *command, struct words *words, const char *word)
{
    if (words->count < CLI_WORDS_MAX) {
        words->items[words->count++] = word;
        return true;
    }
    fprintf(stderr, "glass %s: more than %d words\n", command, CLI_WORDS_MAX);
    return false;
}

/* Parses the option at `*arguments` and steps to its last word. */
static bool
parse_option(const char *command, const struct option *options, size_t count,
             char ***arguments, void *values)
{
    const char *word = **arguments;
    const char *name = word + 2;
    size_t length = strcspn(name, "=");
    const struct option *option =
        word[1] == '-' ? find(options, count, name, length) : NULL;

    if (!option) {
        complain_unknown(command, options, count, word);
        return false;
    }
    const char *text = name[length] == '=' ? name + length + 1 : NULL;
    if (option->kind == OPTION_FLAG && text) {
        fprintf(stderr, "glass %s: --%s takes no value\n", command,
                option->name);
        return false;
    }
    if (option->kind != OPTION_FLAG && !text) {
        text = (*arguments)[1];
        if (!text) {
            fprintf(stderr, "glass %s: --%s needs %s\n", command,
                    option->name, option->metavar);
            return false;
        }
        ++*arguments;
    }
    const char *wanted = store(option, text, values);
    if (wanted)
        fprintf(stderr, "glass %s: --%s has to be %s, not '%s'\n", command,
                option->name, wanted, text);
    return !wanted;
}

bool
options_parse(const char *command, const struct option *options, size_t count,
              char **arguments, void *values, struct words *words,
              struct words *rest)
{
    for (; *arguments; arguments++) {
        if (strcmp(*arguments, "--") == 0) {
            while (*++arguments)
                if (!add_word(command, rest ? rest : words, *arguments))
                    return false;
            return true;
        }
        if (is_option(*arguments)) {
            if (!parse_option(command, options, count, &arguments, values))
                return false;
        } else if (!add_word(command, words, *arguments)) {
            return false;
        }
    }
    return true;
}

bool
options_ask_help(char **arguments)
{
    for (; *arguments && strcmp(*arguments, "--") != 0; arguments++)
        if (strcmp(*arguments, "--help") == 0 ||
            strcmp(*arguments, "-h") == 0)
            return true;
    return false;
}

const char *
options_split_directory(const char *word, size_t *host_bytes)
{
    const char *guest = word;

    for (const char *colons = strstr(word, "::"); colons;
         colons = strstr(colons + 1, "::"))
        guest = colons + 2;
    *host_bytes = guest == word ? strlen(word) : (size_t)(guest - word) - 2;
    return *host_bytes > 0 && *guest ? guest : NULL;
}

void
options_print(const struct option *options, size_t count)
{
    char left[64];

    for (size_t index = 0; index < count; index++) {
        const struct option *option = &options[index];
        snprintf(left, sizeof(left), "--%s%s%s", option->name,
                 option->metavar ? " " : "",
                 option->metavar ? option->metavar : "");
        printf("  %-24s %s\n", left, option->help);
    }
    printf("  %-24s %s\n", "--help", "print this");
}
