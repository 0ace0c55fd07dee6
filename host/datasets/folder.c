/* SPDX-License-Identifier: BSD-2-Clause */
/* Folders of image files: plain, with a label file (ILSVRC2012 validation), one folder a class, and the Cityscapes
 * tree. */
#define _DEFAULT_SOURCE
#include "datasets/kind.h"

#include "core/file.h"
#include "core/memory.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

/* How Cityscapes' pictures are called after town and number. */
#define CITYSCAPES_PICTURE "_leftImg8bit.png"

struct item {
    char *path;
    int32_t label;
};

struct folder_dataset {
    bdnn_dataset base;
    char *root;
    struct item *items;
    size_t room;
};

/* Cityscapes' label ids 0..33 as the 19 classes of its benchmark; -1: not judged. */
static const int32_t cityscapes_class[34] = {-1, -1, -1, -1, -1, -1, -1, 0,  1,  -1, -1, 2,  3,  4,  -1, -1, -1,
                                             5,  -1, 6,  7,  8,  9,  10, 11, 12, 13, 14, 15, -1, -1, 16, 17, 18};

static void close_folder(bdnn_dataset *dataset)
{
    struct folder_dataset *set = (struct folder_dataset *)dataset;
    for (size_t i = 0; i < dataset->count; i++) {
        bdnn_free(set->items[i].path);
    }
    bdnn_free(set->items);
    bdnn_free(set->root);
    bdnn_free(set);
}

static bool is_image(const char *name)
{
    static const char *const endings[] = {".jpg", ".jpeg", ".png", ".bmp", ".ppm", ".pgm", ".tif", ".tiff", ".webp"};
    const size_t length = strlen(name);
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        const size_t ending = strlen(endings[i]);
        if (length > ending && strcasecmp(name + length - ending, endings[i]) == 0) {
            return true;
        }
    }
    return false;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int not_hidden(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static char *join(const char *folder, const char *name)
{
    char *path = bdnn_alloc(strlen(folder) + strlen(name) + 2, 1);
    if (path) {
        sprintf(path, "%s/%s", folder, name);
    }
    return path;
}

/* What is not there is no folder; what cannot be looked at is an error. */
static bdnn_status look_at(const char *path, bool *is_folder, bdnn_error *err)
{
    struct stat info;
    const bool there = stat(path, &info) == 0;
    *is_folder = there && S_ISDIR(info.st_mode);
    return there || errno == ENOENT || errno == ENOTDIR
               ? BDNN_OK
               : bdnn_fail(err, BDNN_ERROR_IO, "%s: cannot open: %s", path, strerror(errno));
}

/* Appends an item, whose path it takes over. */
static bool add_item(struct folder_dataset *set, char *path, int32_t label)
{
    if (set->base.count == set->room) {
        const size_t room = set->room ? 2 * set->room : 64;
        struct item *items = bdnn_alloc(room, sizeof *items);
        if (!items || !path) {
            bdnn_free(items);
            bdnn_free(path);
            return false;
        }
        if (set->base.count) {
            memcpy(items, set->items, set->base.count * sizeof *items);
        }
        bdnn_free(set->items);
        set->items = items;
        set->room = room;
    }
    if (!path) {
        return false;
    }
    set->items[set->base.count++] = (struct item){path, label};
    return true;
}

static void free_names(struct dirent **names, int count)
{
    for (int i = 0; i < count; i++) {
        free(names[i]);
    }
    free(names);
}

/* All images of one folder, by name, whose name ends in `suffix` (NULL: any). */
static bdnn_status add_images(struct folder_dataset *set, const char *folder, const char *suffix, int32_t label,
                              bdnn_error *err)
{
    struct dirent **names = NULL;
    const int count = scandir(folder, &names, not_hidden, by_name);
    bdnn_status status =
        count < 0 ? bdnn_fail(err, BDNN_ERROR_IO, "%s: cannot list: %s", folder, strerror(errno)) : BDNN_OK;
    for (int i = 0; i < count && status == BDNN_OK; i++) {
        const char *name = names[i]->d_name;
        const size_t length = strlen(name), ending = suffix ? strlen(suffix) : 0;
        if (is_image(name) && length > ending && (!suffix || strcmp(name + length - ending, suffix) == 0) &&
            !add_item(set, join(folder, name), label)) {
            status = bdnn_fail_memory(err, length, folder);
        }
    }
    if (count >= 0) {
        free_names(names, count);
    }
    return status;
}

/* Each sub-folder by name, calling add_images with the folder's number as the label. */
static bdnn_status add_folders(struct folder_dataset *set, const char *root, const char *suffix, bdnn_error *err)
{
    struct dirent **names = NULL;
    const int count = scandir(root, &names, not_hidden, by_name);
    int32_t label = 0;
    bdnn_status status =
        count < 0 ? bdnn_fail(err, BDNN_ERROR_IO, "%s: cannot list: %s", root, strerror(errno)) : BDNN_OK;
    for (int i = 0; i < count && status == BDNN_OK; i++) {
        char *folder = join(root, names[i]->d_name);
        bool is_folder = false;
        status = folder ? look_at(folder, &is_folder, err) : bdnn_fail_memory(err, strlen(root), root);
        if (is_folder) {
            status = add_images(set, folder, suffix, label++, err);
        }
        bdnn_free(folder);
    }
    if (count >= 0) {
        free_names(names, count);
    }
    return status;
}

/* ---- Labels from a text file ---- */

static bdnn_status parse_label(const char *path, size_t line, const char *text, int32_t *label, bdnn_error *err)
{
    char *end;
    const long value = strtol(text, &end, 10);
    while (isspace((unsigned char)*end)) {
        end++;
    }
    if (end == text || *end || value < 0 || value > 1000000) {
        return bdnn_fail(err, BDNN_ERROR_FORMAT, "%s: line %zu: '%.40s' is no class number", path, line, text);
    }
    *label = (int32_t)value;
    return BDNN_OK;
}

static int compare_items(const void *a, const void *b)
{
    return strcmp(((const struct item *)a)->path, ((const struct item *)b)->path);
}

/* "NAME CLASS", a name with spaces being possible: finds the image; both lists are sorted by path. */
static bdnn_status label_by_name(struct folder_dataset *set, const char *file, size_t line, char *text, char *space,
                                 bdnn_error *err)
{
    char *path;
    struct item key, *found;
    int32_t label = -1;
    bdnn_status status;
    status = parse_label(file, line, space + 1, &label, err);
    while (space > text && isspace((unsigned char)space[-1])) {
        space--;
    }
    *space = '\0';
    if (status != BDNN_OK) {
        return status;
    }
    path = join(set->root, text);
    if (!path) {
        return bdnn_fail_memory(err, strlen(text), file);
    }
    key.path = path;
    found = set->base.count ? bsearch(&key, set->items, set->base.count, sizeof key, compare_items) : NULL;
    bdnn_free(path);
    if (!found) {
        return bdnn_fail(err, BDNN_ERROR_FORMAT, "%s: line %zu: no image '%s' in %s", file, line, text, set->root);
    }
    found->label = label;
    return BDNN_OK;
}

static bdnn_status label_line(struct folder_dataset *set, const char *file, size_t line, char *text, bdnn_error *err)
{
    char *space, *tab;
    size_t length;
    text += strspn(text, " \t");
    length = strlen(text);
    while (length > 0 && isspace((unsigned char)text[length - 1])) {
        text[--length] = '\0';
    }
    space = strrchr(text, ' ');
    tab = strrchr(text, '\t');
    if (length == 0) {
        return BDNN_OK;
    }
    if (space || tab) {
        return label_by_name(set, file, line, text, !space || (tab && tab > space) ? tab : space, err);
    }
    if (line > set->base.count) {
        return bdnn_fail(err, BDNN_ERROR_FORMAT, "%s: line %zu: more labels than the %zu images of %s", file, line,
                         set->base.count, set->root);
    }
    return parse_label(file, line, text, &set->items[line - 1].label, err);
}

static bdnn_status read_labels(struct folder_dataset *set, const char *path, bdnn_error *err)
{
    FILE *file = NULL;
    char text[4096];
    size_t line = 0;
    uint64_t size;
    int fd;
    bdnn_status status = bdnn_open_file(path, &fd, &size, err);
    if (status == BDNN_OK && !(file = fdopen(fd, "r"))) {
        close(fd);
        status = bdnn_fail(err, BDNN_ERROR_MEMORY, "%s: no memory to read it", path);
    }
    if (set->base.count) {
        qsort(set->items, set->base.count, sizeof *set->items, compare_items);
    }
    while (status == BDNN_OK && fgets(text, sizeof text, file)) {
        status = label_line(set, path, ++line, text, err);
    }
    if (status == BDNN_OK && ferror(file)) {
        status = bdnn_fail(err, BDNN_ERROR_IO, "%s: cannot read: %s", path, strerror(errno));
    }
    for (size_t i = 0; i < set->base.count && status == BDNN_OK; i++) {
        if (set->items[i].label < 0) {
            status = bdnn_fail(err, BDNN_ERROR_FORMAT, "%s: no label for %s", path, set->items[i].path);
        }
    }
    if (file) {
        fclose(file);
    }
    set->base.kind = BDNN_LABEL_CLASS;
    return status;
}

/* ---- Items ---- */

static bdnn_status input_folder(const bdnn_dataset *dataset, size_t index, const bdnn_preprocess *p, float *input,
                                bdnn_error *err)
{
    const struct item *item = &((const struct folder_dataset *)dataset)->items[index];
    bdnn_image image;
    bdnn_status status = bdnn_image_load_for(item->path, p, &image, err);
    if (status == BDNN_OK) {
        status = bdnn_image_preprocess(&image, p, input, err);
        bdnn_image_free(&image);
        return status == BDNN_OK ? status : bdnn_prefix(err, status, "%s", item->path);
    }
    return status;
}

static bdnn_status label_folder(const bdnn_dataset *dataset, size_t index, int32_t *label, bdnn_error *err)
{
    (void)err;
    *label = ((const struct folder_dataset *)dataset)->items[index].label;
    return BDNN_OK;
}

/* The label image of a Cityscapes picture: ids of 34 labels, or of the 19 classes directly. */
static bdnn_status cityscapes_labels(const char *path, char **labels, bool *train_ids, bdnn_error *err)
{
    char *tree = NULL, *ids = NULL, *train = NULL;
    bdnn_status status = bdnn_replace_last(path, "leftImg8bit.png", "gtFine_labelIds.png", &tree, err);
    if (status == BDNN_OK && tree) {
        status = bdnn_replace_last(tree, "leftImg8bit/", "gtFine/", &ids, err);
    }
    if (status == BDNN_OK && ids) {
        status = bdnn_replace_last(ids, "labelIds", "labelTrainIds", &train, err);
    }
    bdnn_free(tree);
    *train_ids = train && !bdnn_file_exists(ids) && bdnn_file_exists(train);
    *labels = status == BDNN_OK ? (*train_ids ? train : ids) : NULL;
    bdnn_free(*labels == ids ? NULL : ids);
    bdnn_free(*labels == train ? NULL : train);
    return status;
}

static bdnn_status class_map_cityscapes(const bdnn_dataset *dataset, size_t index, int32_t height, int32_t width,
                                        int32_t *class_map, bdnn_error *err)
{
    const struct item *item = &((const struct folder_dataset *)dataset)->items[index];
    int32_t to_class[256];
    bdnn_image image;
    bool train_ids;
    char *path;
    bdnn_status status = cityscapes_labels(item->path, &path, &train_ids, err);
    if (status == BDNN_OK) { /* there is a path: else the set would have no class maps */
        status = bdnn_image_load(path, 0, 0, &image, err);
    }
    if (status == BDNN_OK) {
        for (int i = 0; i < 256; i++) {
            to_class[i] = train_ids ? (i < 19 ? i : -1) : i < 34 ? cityscapes_class[i] : -1;
        }
        if (image.channels != 1) {
            status = bdnn_fail(err, BDNN_ERROR_FORMAT, "%s: a label image of %d channels", path, image.channels);
        } else {
            bdnn_resize_class_map(image.pixels, image.height, image.width, to_class, height, width, class_map);
        }
        bdnn_image_free(&image);
    }
    bdnn_free(path);
    return status;
}

static void name_folder(const bdnn_dataset *dataset, size_t index, char *text, size_t size)
{
    snprintf(text, size, "%s", ((const struct folder_dataset *)dataset)->items[index].path);
}

static const bdnn_dataset_type folder_type = {.close = close_folder,
                                              .input = input_folder,
                                              .label = label_folder,
                                              .class_map = class_map_cityscapes,
                                              .name = name_folder};

/* ---- Opening ---- */

/* The towns of one part of Cityscapes. Its label images may be missing, for calibration. */
static bdnn_status open_cityscapes(struct folder_dataset *set, const char *part, const char *labels, bdnn_error *err)
{
    bdnn_status status = add_folders(set, part, CITYSCAPES_PICTURE, err);
    if (status == BDNN_OK && set->base.count > 0) {
        bool train_ids;
        char *path;
        status = cityscapes_labels(set->items[0].path, &path, &train_ids, err);
        set->base.kind = path && bdnn_file_exists(path) ? BDNN_LABEL_CLASS_MAP : BDNN_LABEL_NONE;
        bdnn_free(path);
        if (status == BDNN_OK && labels) {
            status = bdnn_fail(err, BDNN_ERROR_ARGUMENT, "%s: Cityscapes has label images, which '%s' cannot replace",
                               part, labels);
        }
    }
    return status;
}

static bdnn_status open_images(struct folder_dataset *set, const char *labels, bdnn_error *err)
{
    bdnn_status status = add_images(set, set->root, NULL, -1, err);
    if (status == BDNN_OK && labels) {
        return read_labels(set, labels, err);
    }
    if (status == BDNN_OK && set->base.count == 0) {
        status = add_folders(set, set->root, NULL, err);
        set->base.kind = BDNN_LABEL_CLASS;
    }
    return status;
}

static bdnn_status fill(struct folder_dataset *set, const char *labels, bdnn_error *err)
{
    char *part = join(set->root, "leftImg8bit/val");
    bool is_folder = false;
    bdnn_status status = part ? look_at(part, &is_folder, err) : bdnn_fail_memory(err, strlen(set->root), set->root);
    if (is_folder) {
        status = open_cityscapes(set, part, labels, err);
    } else if (status == BDNN_OK && strstr(set->root, "leftImg8bit/")) {
        status = open_cityscapes(set, set->root, labels, err);
    }
    if (status == BDNN_OK && set->base.count == 0) {
        status = open_images(set, labels, err);
    }
    bdnn_free(part);
    if (status == BDNN_OK && set->base.count == 0) {
        status = bdnn_fail(err, BDNN_ERROR_IO, "%s: no images in it", set->root);
    }
    return status;
}

bdnn_status bdnn_open_folder(const char *path, const char *labels, bdnn_dataset **dataset, bdnn_error *err)
{
    struct folder_dataset *set = bdnn_zalloc(1, sizeof *set);
    bdnn_status status;
    if (!set || !(set->root = bdnn_strdup(path))) {
        bdnn_free(set);
        return bdnn_fail_memory(err, sizeof *set, path);
    }
    set->base.type = &folder_type;
    status = fill(set, labels, err);
    if (status != BDNN_OK) {
        close_folder(&set->base);
        return status;
    }
    *dataset = &set->base;
    return BDNN_OK;
}
