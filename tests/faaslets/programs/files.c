/*
 * files.c - for tests: does with a directory what programs do, and prints
 * what came of it, which has to be the same natively and as a guest. The
 * directory is its first argument, and empty at first.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *directory;

/* A path in the directory; several at a time. */
static const char *
at(const char *name)
{
    static char paths[4][512];
    static unsigned next;
    char *path = paths[next++ % 4];

    snprintf(path, 512, "%s/%s", directory, name);
    return path;
}

/* Says how something has ended that returns -1 when it fails. */
static void
told(const char *what, long result)
{
    if (result < 0)
        printf("%s: %s\n", what, strerror(errno));
    else
        printf("%s: %ld\n", what, result);
}

static void
write_file(const char *name, const char *mode, const char *text)
{
    FILE *file = fopen(at(name), mode);

    printf("write %s %s: %s\n", name, mode,
           file ? "opened" : strerror(errno));
    if (file) {
        fputs(text, file);
        fclose(file);
    }
}

static void
show_file(const char *name)
{
    char text[256];
    FILE *file = fopen(at(name), "r");
    size_t count = file ? fread(text, 1, sizeof(text), file) : 0;

    if (file) {
        printf("show %s: %.*s\n", name, (int)count, text);
        fclose(file);
    } else {
        /* Each C library has a text of its own for that one. */
        printf("show %s: %s\n", name,
               errno == ELOOP ? "a loop" : strerror(errno));
    }
}

static void
show_status(const char *name)
{
    struct stat info;

    if (lstat(at(name), &info) != 0) {
        printf("status %s: %s\n", name, strerror(errno));
        return;
    }
    printf("status %s: %s, %ld bytes, %ld links\n", name,
           S_ISDIR(info.st_mode)   ? "directory"
           : S_ISLNK(info.st_mode) ? "link"
           : S_ISREG(info.st_mode) ? "file"
                                   : "other",
           S_ISREG(info.st_mode) ? (long)info.st_size : 0,
           S_ISREG(info.st_mode) ? (long)info.st_nlink : 0);
}

static int
compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The names in order: that of the file system is anybody's guess. */
static void
show_directory(const char *name)
{
    char *names[300];
    size_t count = 0;
    struct dirent *entry;
    DIR *open = opendir(at(name));

    if (!open) {
        printf("list %s: %s\n", name, strerror(errno));
        return;
    }
    while ((entry = readdir(open)) && count < 300)
        names[count++] = strdup(entry->d_name);
    rewinddir(open);
    size_t again = 0;
    while (readdir(open))
        again++;
    closedir(open);
    qsort(names, count, sizeof(*names), compare);
    printf("list %s: %zu, again %zu:", name, count, again);
    for (size_t i = 0; i < count; i++) {
        printf(" %s", names[i]);
        free(names[i]);
    }
    printf("\n");
}

static void
move_about(void)
{
    char text[16] = {0};
    int fd = open(at("numbers"), O_RDWR | O_CREAT | O_EXCL, 0600);

    told("write", write(fd, "0123456789", 10));
    told("seek", (long)lseek(fd, -4, SEEK_END));
    told("read", read(fd, text, 15));
    printf("%s\n", text);
    told("seek before", (long)lseek(fd, -1, SEEK_SET));
    told("pwrite", pwrite(fd, "xy", 2, 3));
    told("pread", pread(fd, text, 6, 1));
    printf("%.6s\n", text);
    told("seek far", (long)lseek(fd, 20, SEEK_SET));
    told("write far", write(fd, "end", 3));
    told("truncate", ftruncate(fd, 22));
    told("sync", fsync(fd));
    told("flags", fcntl(fd, F_SETFL, O_APPEND));
    told("seek back", (long)lseek(fd, 0, SEEK_SET));
    told("append", write(fd, "!", 1));
    told("close", close(fd));
    told("close again", close(fd));
    show_status("numbers");
    told("exclusively",
         open(at("numbers"), O_RDWR | O_CREAT | O_EXCL, 0600));
    told("a directory of it", open(at("numbers"), O_RDONLY | O_DIRECTORY));
    fd = open(at("numbers"), O_RDONLY);
    told("write what is read", write(fd, "x", 1));
    close(fd);
    fd = open(directory, O_RDONLY | O_DIRECTORY);
    told("read a directory", read(fd, text, 1));
    close(fd);
}

static void
name_things(void)
{
    char text[64] = {0};

    told("mkdir", mkdir(at("a"), 0700));
    told("mkdir again", mkdir(at("a"), 0700));
    told("mkdir below", mkdir(at("a/b"), 0700));
    told("mkdir nowhere", mkdir(at("none/b"), 0700));
    write_file("a/one", "w", "one");
    write_file("a/one", "a", " and more");
    write_file("none/one", "w", "");
    told("link", link(at("a/one"), at("a/two")));
    show_status("a/two");
    told("symlink", symlink("a/one", at("short")));
    told("readlink", readlink(at("short"), text, sizeof(text)));
    printf("%s\n", text);
    show_status("short");
    show_file("short");
    told("symlink away", symlink("nowhere", at("away")));
    show_file("away");
    told("loop", symlink("loop", at("loop")));
    show_file("loop");
    show_file("loop/x");
    told("rename", rename(at("a/one"), at("three")));
    show_file("short");
    show_file("three");
    told("rename nothing", rename(at("a/one"), at("four")));
    told("rename over a directory", rename(at("three"), at("a")));
    told("rename a directory", rename(at("a"), at("c")));
    show_directory("c");
    told("rmdir full", rmdir(at("c")));
    told("unlink a directory", unlink(at("c/b")));
    told("rmdir a file", rmdir(at("three")));
    told("rmdir", rmdir(at("c/b")));
    told("unlink", unlink(at("c/two")));
    told("unlink again", unlink(at("c/two")));
    told("rmdir empty", rmdir(at("c")));
}

int
main(int argc, char **argv)
{
    char name[32];

    if (argc != 2)
        return 2;
    directory = argv[1];
    move_about();
    name_things();
    for (int i = 0; i < 200; i++) {
        snprintf(name, sizeof(name), "a-file-with-the-number-%d", i);
        fclose(fopen(at(name), "w"));
    }
    show_directory(".");
    show_directory("three");
    return 0;
}
