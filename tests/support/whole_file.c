/* whole_file.c - for tests: see whole_file.h. */
#include "tests/support/whole_file.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

uint8_t *
whole_file_read(const char *path, size_t *length_bytes)
{
    struct stat info;
    FILE *file = fopen(path, "rb");

    ck_assert_msg(file != NULL, "cannot open %s", path);
    ck_assert_int_eq(fstat(fileno(file), &info), 0);
    uint8_t *bytes = malloc((size_t)info.st_size + 1);
    ck_assert_ptr_nonnull(bytes);
    *length_bytes = fread(bytes, 1, (size_t)info.st_size, file);
    ck_assert_uint_eq(*length_bytes, (size_t)info.st_size);
    bytes[*length_bytes] = 0;
    fclose(file);
    return bytes;
}

void
whole_file_write(const char *path, const void *bytes, size_t length_bytes)
{
    FILE *file = fopen(path, "wb");

    ck_assert_msg(file != NULL, "cannot write %s", path);
    ck_assert_uint_eq(fwrite(bytes, 1, length_bytes, file), length_bytes);
    ck_assert_int_eq(fclose(file), 0);
}

void
whole_file_write_text(const char *path, const char *text)
{
    whole_file_write(path, text, strlen(text));
}
