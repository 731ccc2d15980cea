/* whole_file.h - for tests: files, whole. What goes wrong fails the test. */
#ifndef GLASS_TESTS_SUPPORT_WHOLE_FILE_H
#define GLASS_TESTS_SUPPORT_WHOLE_FILE_H

#include <stddef.h>
#include <stdint.h>

/* The bytes of a file and a zero behind them, to be freed. */
uint8_t *
whole_file_read(const char *path, size_t *length_bytes);

/* Makes a file of the bytes or of the text, whatever it held before. */
void
whole_file_write(const char *path, const void *bytes, size_t length_bytes);
void
whole_file_write_text(const char *path, const char *text);

#endif
