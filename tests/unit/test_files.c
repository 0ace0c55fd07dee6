/* SPDX-License-Identifier: BSD-2-Clause */
/* Files: what is refused without waiting, what happens to those that change while they are in use, and how output gets
 * its name. */
#define _XOPEN_SOURCE 700
#define _DEFAULT_SOURCE
#include "bdnn_data.h"
#include "core/file.h"
#include "core/output.h"
#include "networks.h"
#include "scratch.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static void expect(bdnn_status status, bdnn_status wanted, const bdnn_error *err, const char *path, const char *words)
{
    if (status != wanted || (wanted != BDNN_OK && (!strstr(err->message, path) || !strstr(err->message, words)))) {
        fail_msg("status %d: \"%s\" does not name %s and say \"%s\"", (int)status, err->message, path, words);
    }
}

/* Each of the calls that read a file on something that is none. An alarm ends a test that waits for a writer. */
static void refuse(const char *path, const char *words)
{
    bdnn_error err = {0};
    bdnn_file_map map;
    bdnn_model *model;
    bdnn_dataset *set;
    uint64_t size;
    int fd;
    alarm(20);
    expect(bdnn_open_file(path, &fd, &size, &err), BDNN_ERROR_IO, &err, path, words);
    expect(bdnn_map_file(path, &map, &err), BDNN_ERROR_IO, &err, path, words);
    expect(bdnn_read_file(path, 100, &map, &err), BDNN_ERROR_IO, &err, path, words);
    if (!strstr(words, "folder")) { /* which a model and a dataset may be */
        expect(bdnn_model_load(path, NULL, &model, &err), BDNN_ERROR_IO, &err, path, words);
        expect(bdnn_dataset_open(path, NULL, &set, &err), BDNN_ERROR_IO, &err, path, words);
    }
    alarm(0);
}

static void what_is_no_file_is_refused_at_once(void **unused)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    const char *fifo = scratch_path("fifo"), *named;
    (void)unused;
    assert_int_equal(mkfifo(fifo, 0666), 0);
    refuse(fifo, "not a regular file but a FIFO");
    assert_int_equal(unlink(fifo), 0);
    named = scratch_path("fifo.npy");
    assert_int_equal(mkfifo(named, 0666), 0);
    refuse(named, "a FIFO");
    assert_int_equal(unlink(named), 0);
    refuse("/dev/zero", "a device");
    refuse("/dev/tty", ""); /* "No such device" without a terminal */
    refuse(scratch_folder, "a folder");
    snprintf(address.sun_path, sizeof address.sun_path, "%s", scratch_path("socket"));
    assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
    refuse(address.sun_path, "cannot open: No such device or address");
    close(listener);
    assert_int_equal(unlink(address.sun_path), 0);
}

/* The system's reason, not a guess. */
static void the_reason_is_told(void **unused)
{
    const char *file = scratch_write("plain", "x", 1);
    char path[600], name[300];
    (void)unused;
    snprintf(path, sizeof path, "%s/inside", file);
    refuse(path, "Not a directory");
    assert_false(bdnn_file_exists(path));
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = 0;
    snprintf(path, sizeof path, "%s/%s", scratch_folder, name);
    refuse(path, "File name too long");
    assert_true(bdnn_file_exists(path)); /* nobody can tell: opening it says why */
    refuse(scratch_path("missing"), "No such file or directory");
    assert_false(bdnn_file_exists(scratch_path("missing")));
    if (geteuid() != 0) {
        assert_int_equal(chmod(file, 0), 0);
        refuse(file, "Permission denied");
        assert_int_equal(chmod(file, 0600), 0);
    }
}

static void files_are_read_whole(void **unused)
{
    const char *path = scratch_write("whole", "0123456789", 10);
    bdnn_error err = {0};
    bdnn_file_map map;
    char part[4];
    uint64_t size;
    int fd;
    (void)unused;
    assert_int_equal(bdnn_read_file(path, 10, &map, &err), BDNN_OK);
    assert_int_equal(map.size, 10);
    assert_memory_equal(map.data, "0123456789", 10);
    bdnn_unmap_file(&map);
    expect(bdnn_read_file(path, 9, &map, &err), BDNN_ERROR_UNSUPPORTED, &err, path, "10 bytes; at most 9");
    assert_int_equal(bdnn_read_file(scratch_write("nothing", "", 0), 9, &map, &err), BDNN_OK);
    assert_null(map.data);
    bdnn_unmap_file(&map);
    assert_int_equal(bdnn_open_file(path, &fd, &size, &err), BDNN_OK);
    assert_int_equal(size, 10);
    assert_int_equal(bdnn_read_at(fd, path, 3, part, 4, &err), BDNN_OK);
    assert_memory_equal(part, "3456", 4);
    expect(bdnn_read_at(fd, path, 8, part, 4, &err), BDNN_ERROR_IO, &err, path, "has become shorter");
    close(fd);
}

/* Times of writing have the resolution of the kernel's clock tick. */
static void wait_a_tick(void)
{
    usleep(20000);
}

static void overwrite(const char *path, off_t offset, const char *text)
{
    const int fd = open(path, O_WRONLY);
    wait_a_tick();
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, text, strlen(text), offset), strlen(text));
    close(fd);
}

static void changes_of_mapped_files_are_noticed(void **unused)
{
    const char *path = scratch_write("mapped", "0123456789", 10);
    bdnn_error err = {0};
    bdnn_file_map map;
    (void)unused;
    assert_int_equal(bdnn_map_file(path, &map, &err), BDNN_OK);
    assert_int_equal(bdnn_file_map_check(&map, path, &err), BDNN_OK);
    /* Another file of the same name is no change. */
    assert_int_equal(bdnn_write_file(path, "another", 7, &err), BDNN_OK);
    assert_int_equal(bdnn_file_map_check(&map, path, &err), BDNN_OK);
    assert_memory_equal(map.data, "0123456789", 10);
    bdnn_unmap_file(&map);
    assert_int_equal(bdnn_map_file(path, &map, &err), BDNN_OK);
    overwrite(path, 2, "X");
    expect(bdnn_file_map_check(&map, path, &err), BDNN_ERROR_IO, &err, path, "was written to while it was in use");
    bdnn_unmap_file(&map);
    assert_int_equal(bdnn_map_file(path, &map, &err), BDNN_OK);
    assert_int_equal(truncate(path, 3), 0);
    expect(bdnn_file_map_check(&map, path, &err), BDNN_ERROR_IO, &err, path, "it had 7 bytes and has 3");
    bdnn_unmap_file(&map);
}

/* A float network in a file, which is read where it lies. */
static const char *save_network(const char *name)
{
    bdnn_model *model = model_with_input(&(bdnn_shape){4, {1, 2, 8, 8}});
    const char *path = scratch_path(name);
    bdnn_layer *layer;
    bdnn_error err = {0};
    const int32_t input = 0;
    const int32_t out = add_layer(model, BDNN_OP_DENSE, &input, 1, &layer);
    layer->attr.dense.filters = 16;
    layer->weight = random_floats(16 * 128);
    finish(model, out);
    assert_int_equal(bdnn_model_save(model, path, &err), BDNN_OK);
    bdnn_model_free(model);
    return path;
}

static void changed_models_give_no_results(void **unused)
{
    static const float input[128];
    const char *path = save_network("net.bdnn"), *other = save_network("other.bdnn");
    bdnn_error err = {0};
    bdnn_model *model;
    bdnn_session *session;
    const void *address;
    size_t size;
    (void)unused;
    for (int copied = 0; copied < 2; copied++) {
        const bdnn_load_options options = {.struct_size = sizeof options, .copy = copied};
        assert_int_equal(bdnn_model_load(path, &options, &model, &err), BDNN_OK);
        bdnn_model_mapping(model, &address, &size);
        assert_true(copied ? !address && size == 0 : address && size > 16 * 128 * sizeof(float));
        assert_int_equal(bdnn_session_create(model, NULL, &session, &err), BDNN_OK);
        assert_int_equal(bdnn_session_run(session, input, &err), BDNN_OK);
        assert_int_equal(rename(other, path), 0);
        assert_int_equal(bdnn_session_run(session, input, &err), BDNN_OK);
        bdnn_session_free(session);
        bdnn_model_free(model);
        other = save_network("other.bdnn");
        assert_int_equal(bdnn_model_load(path, &options, &model, &err), BDNN_OK);
        assert_int_equal(bdnn_session_create(model, NULL, &session, &err), BDNN_OK);
        overwrite(path, 5000, "changed");
        if (copied) {
            assert_int_equal(truncate(path, 10), 0); /* would be SIGBUS */
            assert_int_equal(bdnn_session_run(session, input, &err), BDNN_OK);
        } else {
            expect(bdnn_session_run(session, input, &err), BDNN_ERROR_IO, &err, path, "was written to");
            expect(bdnn_model_save(model, other, &err), BDNN_ERROR_IO, &err, path, "was written to");
        }
        bdnn_session_free(session);
        bdnn_model_free(model);
        assert_int_equal(rename(other, path), 0);
        other = save_network("other.bdnn");
    }
}

static int count_files(const char *folder)
{
    DIR *list = opendir(folder);
    int count = 0;
    assert_non_null(list);
    while (readdir(list)) {
        count++;
    }
    closedir(list);
    return count - 2;
}

/* Permissions as open() would have given them, a name that nobody knows before, and nothing followed. */
static void output_is_private_until_it_is_complete(void **unused)
{
    const mode_t mask = umask(027);
    char first[600], path[600];
    struct stat info;
    bdnn_error err = {0};
    bdnn_output output;
    (void)unused;
    snprintf(path, sizeof path, "%s/private", scratch_folder);
    assert_int_equal(bdnn_output_open(&output, path, &err), BDNN_OK);
    assert_int_equal(strncmp(output.temporary, path, strlen(path)), 0);
    assert_int_equal(strlen(output.temporary), strlen(path) + 17);
    snprintf(first, sizeof first, "%s", output.temporary);
    bdnn_output_discard(&output);
    assert_int_equal(bdnn_output_open(&output, path, &err), BDNN_OK);
    assert_string_not_equal(first, output.temporary);
    fputs("text", output.stream);
    assert_int_not_equal(stat(path, &info), 0);
    assert_int_equal(bdnn_output_commit(&output, &err), BDNN_OK);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 07777, 0640);
    assert_int_equal(info.st_size, 4);
    /* A link is replaced, not written through. */
    assert_int_equal(symlink(path, scratch_path("link")), 0);
    assert_int_equal(bdnn_write_file(scratch_path("link"), "longer text", 11, &err), BDNN_OK);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_size, 4);
    umask(mask);
    expect(bdnn_write_file("/dev/null", "x", 1, &err), BDNN_ERROR_IO, &err, "/dev/null", "not a plain file");
    expect(bdnn_write_file("/dev/full", "x", 1, &err), BDNN_ERROR_IO, &err, "/dev/full", "not a plain file");
}

static void folders_appear_when_complete(void **unused)
{
    const mode_t mask = umask(027);
    const char *path = scratch_path("made/");
    char inside[700];
    struct stat info;
    bdnn_error err = {0};
    bdnn_output_folder output;
    (void)unused;
    assert_int_equal(bdnn_output_folder_open(&output, path, &err), BDNN_OK);
    snprintf(inside, sizeof inside, "%s/file", output.temporary);
    assert_int_equal(bdnn_write_file(inside, "x", 1, &err), BDNN_OK);
    assert_int_not_equal(stat(path, &info), 0);
    assert_int_equal(bdnn_output_folder_commit(&output, &err), BDNN_OK);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 07777, 0750);
    assert_int_equal(count_files(path), 1);
    umask(mask);
    expect(bdnn_output_folder_open(&output, path, &err), BDNN_ERROR_ARGUMENT, &err, path, "exists already");
}

/* What a signal's handler calls: files, folders with all in them, and nothing else. */
static void temporaries_can_be_removed_at_any_time(void **unused)
{
    const int before = count_files(scratch_folder);
    bdnn_error err = {0};
    bdnn_output files[3], many[20];
    bdnn_output_folder folder;
    char path[1000];
    (void)unused;
    for (int i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s/removed%d", scratch_folder, i);
        assert_int_equal(bdnn_output_open(&files[i], path, &err), BDNN_OK);
    }
    assert_int_equal(bdnn_output_folder_open(&folder, scratch_path("tree"), &err), BDNN_OK);
    for (int i = 0; i < 300; i++) { /* more than one call lists */
        snprintf(path, sizeof path, "%s/file%d", folder.temporary, i);
        fclose(fopen(path, "w"));
    }
    snprintf(path, sizeof path, "%s/a", folder.temporary);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(mkdir(path, 0777), 0);
        strcat(path, "/a");
        fclose(fopen(path, "w"));
        unlink(path);
    }
    strcat(path, ".npy");
    fclose(fopen(path, "w"));
    assert_int_equal(symlink("/tmp", strcat(path, ".link")), 0);
    bdnn_remove_temporaries();
    assert_int_equal(count_files(scratch_folder), before);
    expect(bdnn_output_commit(&files[0], &err), BDNN_ERROR_IO, &err, "removed0", "cannot write");
    bdnn_output_discard(&files[1]);
    bdnn_output_discard(&files[2]);
    bdnn_output_folder_discard(&folder);
    bdnn_remove_temporaries(); /* none left */
    /* More outputs at once than the list holds are written all the same. */
    for (int i = 0; i < 20; i++) {
        snprintf(path, sizeof path, "%s/many%d", scratch_folder, i);
        assert_int_equal(bdnn_output_open(&many[i], path, &err), BDNN_OK);
    }
    for (int i = 0; i < 20; i++) {
        assert_int_equal(bdnn_output_commit(&many[i], &err), BDNN_OK);
    }
    assert_int_equal(count_files(scratch_folder), before + 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_no_file_is_refused_at_once),
        cmocka_unit_test(the_reason_is_told),
        cmocka_unit_test(files_are_read_whole),
        cmocka_unit_test(changes_of_mapped_files_are_noticed),
        cmocka_unit_test(changed_models_give_no_results),
        cmocka_unit_test(output_is_private_until_it_is_complete),
        cmocka_unit_test(folders_appear_when_complete),
        cmocka_unit_test(temporaries_can_be_removed_at_any_time),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
