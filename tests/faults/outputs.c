/* SPDX-License-Identifier: BSD-2-Clause */
/* The folder of outputs. */
#define _GNU_SOURCE
#include "outputs.h"

#include "scenario.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define START UINT64_C(0xcbf29ce484222325)

const struct output *find_output(const struct listing *listing, const char *name)
{
    for (int i = 0; i < listing->count; i++) {
        if (strcmp(listing->entry[i].name, name) == 0) {
            return &listing->entry[i];
        }
    }
    return NULL;
}

uint64_t hash_file(const char *path, bool timed)
{
    static char data[1 << 16];
    const int file = open(path, O_RDONLY | O_CLOEXEC);
    uint64_t hash = START;
    ssize_t got;
    if (file < 0) {
        return 0;
    }
    while ((got = read(file, data, sizeof data)) > 0) {
        for (ssize_t i = 0; i < got; i++) {
            if (!timed || !strchr("0123456789.+-e \n", data[i])) {
                digest_add(&hash, &data[i], 1);
            }
        }
    }
    close(file);
    return hash;
}

/* A page of measurements is another one each time, plots and all: what counts is that it has its end. */
static uint64_t hash_page(const char *path)
{
    static const char end[] = "</html>\n";
    char last[sizeof end] = "";
    const int file = open(path, O_RDONLY | O_CLOEXEC);
    const off_t size = file >= 0 ? lseek(file, 0, SEEK_END) : 0;
    const bool whole =
        size > 1000 && pread(file, last, sizeof end - 1, size - (off_t)sizeof end + 1) > 0 && strcmp(last, end) == 0;
    if (file >= 0) {
        close(file);
    }
    return whole ? 1 : hash_file(path, false);
}

static uint64_t hash_entry(const char *path, bool timed)
{
    struct stat info;
    struct dirent **names;
    const size_t length = strlen(path);
    uint64_t hash = START;
    int count;
    if (lstat(path, &info) != 0 || !S_ISDIR(info.st_mode)) {
        return timed && length > 5 && strcmp(path + length - 5, ".html") == 0 ? hash_page(path)
                                                                              : hash_file(path, false);
    }
    count = scandir(path, &names, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        if (strcmp(names[i]->d_name, ".") != 0 && strcmp(names[i]->d_name, "..") != 0) {
            char inner[1024];
            uint64_t part;
            snprintf(inner, sizeof inner, "%s/%s", path, names[i]->d_name);
            part = hash_entry(inner, timed);
            digest_add(&hash, names[i]->d_name, strlen(names[i]->d_name));
            digest_add(&hash, &part, sizeof part);
        }
        free(names[i]);
    }
    free(names);
    return hash;
}

void list_outputs(const char *folder, bool timed, struct listing *listing)
{
    DIR *stream = opendir(folder);
    const struct dirent *entry;
    listing->count = 0;
    while (stream && (entry = readdir(stream)) != NULL && listing->count < MAX_ENTRIES) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            struct output *output = &listing->entry[listing->count++];
            char path[1024];
            snprintf(output->name, sizeof output->name, "%s", entry->d_name);
            snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
            output->hash = hash_entry(path, timed);
        }
    }
    if (stream) {
        closedir(stream);
    }
}

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *walk)
{
    (void)info, (void)kind;
    return walk->level > 0 ? remove(path) : 0;
}

void empty_folder(const char *path)
{
    nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

void write_old(const char *path)
{
    const int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (file < 0 || write(file, "old\n", 4) != 4 || close(file) != 0) {
        perror(path);
        exit(2);
    }
}

bool is_mapped(const char *path)
{
    FILE *maps = fopen("/proc/self/maps", "r");
    char line[1024];
    bool found = false;
    while (maps && fgets(line, sizeof line, maps)) {
        found = found || strstr(line, path);
    }
    if (maps) {
        fclose(maps);
    }
    return found;
}
