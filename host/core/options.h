/* SPDX-License-Identifier: BSD-2-Clause */
/* Options structures as callers give them: perhaps of another version of the header, docs/reference/abi.md. */
#ifndef BDNN_CORE_OPTIONS_H
#define BDNN_CORE_OPTIONS_H

#include "core/error.h"

/* The sizes of an options structure whose first field is `size_t struct_size`. */
typedef struct bdnn_options_form {
    const char *init; /* the name of its BDNN_..._INIT, for messages */
    size_t oldest;    /* struct_size in the first release that has the structure */
    size_t used;      /* bytes up to the end of the last field; behind it are only reserved bytes */
    size_t size;      /* sizeof: struct_size of this version */
} bdnn_options_form;

/* Copies the fields that the caller knows from `given` over those in `own`, which holds the values of all others and
 * its own struct_size. NULL changes nothing. Errors: BDNN_ERROR_ARGUMENT for a struct_size that is no version's,
 * BDNN_ERROR_UNSUPPORTED for bytes that are set beyond the fields of this version: a newer caller asks for something
 * that would silently not be done. `call` is the public call, __func__. */
bdnn_status bdnn_options_copy(const bdnn_options_form *form, void *own, const void *given, const char *call,
                              bdnn_error *err);

/* The same of the public structures, with what their BDNN_..._INIT says for NULL. */
bdnn_status bdnn_take_load_options(bdnn_load_options *own, const bdnn_load_options *given, const char *call,
                                   bdnn_error *err);
bdnn_status bdnn_take_decompose_options(bdnn_decompose_options *own, const bdnn_decompose_options *given,
                                        const char *call, bdnn_error *err);
bdnn_status bdnn_take_session_options(bdnn_session_options *own, const bdnn_session_options *given, const char *call,
                                      bdnn_error *err);

#endif
