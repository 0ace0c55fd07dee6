/* SPDX-License-Identifier: BSD-2-Clause */
/* Options structures as callers give them. */
#include "core/options.h"

#include <string.h>

/* A struct_size that was never set must not send anyone through memory. */
#define MAX_SIZE 4096

/* Fields are added behind what was there; a hole at the end would let one lie in an older caller's padding. */
#define NO_HOLE(type, last)                                                                                            \
    _Static_assert(sizeof(type) == offsetof(type, last) + sizeof(((type *)0)->last), #type " ends with padding")
NO_HOLE(bdnn_load_options, reserved);
NO_HOLE(bdnn_decompose_options, user);
NO_HOLE(bdnn_session_options, reserved);

/* The structures are as they were in 0.1, the first release that has them. */
static const bdnn_options_form load_form = {"BDNN_LOAD_OPTIONS_INIT", sizeof(bdnn_load_options),
                                            offsetof(bdnn_load_options, reserved), sizeof(bdnn_load_options)};
static const bdnn_options_form decompose_form = {"BDNN_DECOMPOSE_OPTIONS_INIT", sizeof(bdnn_decompose_options),
                                                 sizeof(bdnn_decompose_options), sizeof(bdnn_decompose_options)};
static const bdnn_options_form session_form = {"BDNN_SESSION_OPTIONS_INIT", sizeof(bdnn_session_options),
                                               offsetof(bdnn_session_options, reserved), sizeof(bdnn_session_options)};

bdnn_status bdnn_options_copy(const bdnn_options_form *form, void *own, const void *given, const char *call,
                              bdnn_error *err)
{
    const unsigned char *bytes = given;
    size_t size;
    if (!given) {
        return BDNN_OK;
    }
    memcpy(&size, given, sizeof size);
    if (size < form->oldest || size > MAX_SIZE) {
        return bdnn_fail(err, BDNN_ERROR_ARGUMENT,
                         "%s: struct_size of the options is %zu, in this library %zu: they must begin as %s", call,
                         size, form->size, form->init);
    }
    for (size_t i = form->used; i < size; i++) {
        if (bytes[i]) {
            return bdnn_fail(err, BDNN_ERROR_UNSUPPORTED,
                             "%s: byte %zu of the options (struct_size %zu, in this library %zu) is set, which this "
                             "library does not know: bdnn %s is older than the program, or they do not begin as %s",
                             call, i, size, form->size, BDNN_VERSION, form->init);
        }
    }
    /* Never the size itself: what is copied is of this version. */
    memcpy((char *)own + sizeof size, bytes + sizeof size, (size < form->used ? size : form->used) - sizeof size);
    return BDNN_OK;
}

bdnn_status bdnn_take_load_options(bdnn_load_options *own, const bdnn_load_options *given, const char *call,
                                   bdnn_error *err)
{
    *own = (bdnn_load_options)BDNN_LOAD_OPTIONS_INIT;
    return bdnn_options_copy(&load_form, own, given, call, err);
}

bdnn_status bdnn_take_decompose_options(bdnn_decompose_options *own, const bdnn_decompose_options *given,
                                        const char *call, bdnn_error *err)
{
    *own = (bdnn_decompose_options)BDNN_DECOMPOSE_OPTIONS_INIT;
    return bdnn_options_copy(&decompose_form, own, given, call, err);
}

bdnn_status bdnn_take_session_options(bdnn_session_options *own, const bdnn_session_options *given, const char *call,
                                      bdnn_error *err)
{
    *own = (bdnn_session_options)BDNN_SESSION_OPTIONS_INIT;
    return bdnn_options_copy(&session_form, own, given, call, err);
}
