/*
 * regex.c - searching text: a matcher of regular expressions that backtracks
 * over a compiled list of nodes, Horspool's search for plain words, and
 * distances between words by Levenshtein's table.
 */
#include "kernel.h"

enum {
    TEXT_BYTES = 1 << 15,
    NODE_COUNT_MAX = 64,
};

enum kind { END, BYTE, ANY, SET, START_OF_LINE, END_OF_LINE };

/* One thing to match, and how often. */
struct node {
    uint8_t kind;
    uint8_t byte;
    uint8_t min; /* of repetitions: 0 or 1 */
    bool many;   /* more than one is fine */
    uint32_t set[8];
};

static char text[TEXT_BYTES + 1];

static void
set_add(struct node *node, uint32_t from, uint32_t to)
{
    for (; from <= to; from++)
        node->set[from / 32] |= 1u << from % 32;
}

/* Reads [abc], [a-z] or [^...] from behind its opening bracket. */
static const char *
compile_set(struct node *node, const char *pattern)
{
    bool inverted = *pattern == '^';

    node->kind = SET;
    for (pattern += inverted; *pattern != ']'; pattern++)
        if (pattern[1] == '-' && pattern[2] != ']') {
            set_add(node, (uint8_t)pattern[0], (uint8_t)pattern[2]);
            pattern += 2;
        } else {
            set_add(node, (uint8_t)*pattern, (uint8_t)*pattern);
        }
    for (uint32_t i = 0; inverted && i < 8; i++)
        node->set[i] = ~node->set[i];
    return pattern + 1;
}

static void
compile(struct node *node, const char *pattern)
{
    for (; *pattern; node++) {
        *node = (struct node){.min = 1};
        switch (*pattern++) {
        case '.': node->kind = ANY; break;
        case '^': node->kind = START_OF_LINE; break;
        case '$': node->kind = END_OF_LINE; break;
        case '[': pattern = compile_set(node, pattern); break;
        case '\\': pattern++; __attribute__((fallthrough));
        default:
            node->kind = BYTE;
            node->byte = (uint8_t)pattern[-1];
        }
        if (*pattern == '*' || *pattern == '+' || *pattern == '?') {
            node->min = *pattern == '+';
            node->many = *pattern != '?';
            pattern++;
        }
    }
    *node = (struct node){.kind = END};
}

static bool
matches_one(const struct node *node, char c)
{
    uint8_t byte = (uint8_t)c;

    switch ((enum kind)node->kind) {
    case BYTE: return byte == node->byte;
    case ANY: return byte != '\n' && byte != '\0';
    case SET:
        return byte != '\0' && (node->set[byte / 32] >> byte % 32 & 1);
    case END:
    case START_OF_LINE:
    case END_OF_LINE: break;
    }
    return false;
}

/* The end of the match of all nodes at `at`, or NULL. Takes as many as it
 * can, and gives back one by one. */
static const char *
match(const struct node *node, const char *at)
{
    const char *end, *least;

    for (;; node++) {
        if (node->kind == END)
            return at;
        if (node->kind == START_OF_LINE) {
            if (at != text && at[-1] != '\n')
                return NULL;
        } else if (node->kind == END_OF_LINE) {
            if (*at != '\0' && *at != '\n')
                return NULL;
        } else if (node->min == 1 && !node->many) {
            if (!matches_one(node, *at++))
                return NULL;
        } else {
            break;
        }
    }
    least = at + node->min;
    end = at;
    do {
        if (!matches_one(node, *end))
            break;
        end++;
    } while (node->many);
    for (; end >= least; end--) {
        const char *rest = match(node + 1, end);

        if (rest)
            return rest;
    }
    return NULL;
}

static uint64_t
count_matches(const char *pattern)
{
    struct node nodes[NODE_COUNT_MAX];
    uint64_t count = 0, bytes = 0;

    compile(nodes, pattern);
    for (const char *at = text; *at;) {
        const char *end = match(nodes, at);

        if (end && end > at) {
            count++;
            bytes += (uint64_t)(end - at);
            at = end;
        } else {
            at++;
        }
    }
    return count << 32 | bytes;
}

static uint32_t
count_word(const char *word)
{
    uint32_t length = (uint32_t)strlen(word), skips[256], count = 0;

    for (uint32_t i = 0; i < 256; i++)
        skips[i] = length;
    for (uint32_t i = 0; i + 1 < length; i++)
        skips[(uint8_t)word[i]] = length - 1 - i;
    for (uint32_t at = length - 1; at < TEXT_BYTES;) {
        uint32_t i = 0;

        while (i < length && text[at - i] == word[length - 1 - i])
            i++;
        count += i == length;
        at += skips[(uint8_t)text[at]];
    }
    return count;
}

/* Insertions, deletions and changes that make one of two words of up to 31
 * bytes the other. */
static uint32_t
distance(const char *a, uint32_t a_length, const char *b, uint32_t b_length)
{
    uint32_t row[32];

    for (uint32_t j = 0; j <= b_length; j++)
        row[j] = j;
    for (uint32_t i = 1; i <= a_length; i++) {
        uint32_t diagonal = row[0];

        row[0] = i;
        for (uint32_t j = 1; j <= b_length; j++) {
            uint32_t best = diagonal + (a[i - 1] != b[j - 1]);

            diagonal = row[j];
            if (diagonal + 1 < best)
                best = diagonal + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            row[j] = best;
        }
    }
    return row[b_length];
}

static void
make_text(void)
{
    static const char pieces[][20] = {
        "GET /index.html ", "user=ada ", "id=4711 ", "10.0.0.17 ",
        "took 12.5 ms ",    "error ",    "\n",       "ada@example.org ",
        "foo_bar(x, y); ",  "2026-11-22 ", "zzzzzzzz ", "state.put "};
    uint64_t random = 1968;
    uint32_t length = 0;

    while (length < TEXT_BYTES) {
        const char *piece = pieces[kernel_below(&random, 12)];

        for (; *piece && length < TEXT_BYTES; piece++)
            text[length++] = *piece;
    }
}

int
main(void)
{
    static const char *const patterns[] = {
        "[a-z]+@[a-z.]+",        "[0-9]+\\.[0-9]+\\.[0-9]+\\.[0-9]+",
        "^GET [^ ]*",            "[a-z_]+\\([^)]*\\);?",
        "[0-9]?[0-9]?[0-9]-.*$", "z*zz[a-z]*q",
    };
    static const char *const words[] = {"error", "example", "put ", "4711"};
    uint64_t sum = 22;

    make_text();
    for (uint32_t round = kernel_opaque(10); round > 0; round--) {
        for (uint32_t i = 0; i < sizeof patterns / sizeof *patterns; i++)
            sum = kernel_mix(sum, count_matches(patterns[i]));
        for (uint32_t i = 0; i < sizeof words / sizeof *words; i++)
            sum = kernel_mix(sum, count_word(words[i]));
    }
    for (uint32_t i = kernel_opaque(0); i < 5000; i++)
        sum += distance(text + i, 10 + i % 7, text + 3 * i, 12 + i % 5);
    return kernel_report("regex", kernel_mix(sum, 0));
}
