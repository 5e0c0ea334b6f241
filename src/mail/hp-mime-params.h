/* hp-mime-params: the parameters of Content-Type and Content-Disposition as they are
 * meant: sections joined, percent-encoding and charset decoded (RFC 2231), a file name
 * that nobody has quoted whole.
 *
 * Threads: any.
 */
#pragma once

#include "hp-slice.h"

typedef enum {
    HP_MIME_PARAM_PLAIN,   /* any bytes, as they stand in the field, unquoted */
    HP_MIME_PARAM_JOINED,  /* the same, of sections (RFC 2231 §3) */
    HP_MIME_PARAM_DECODED, /* UTF-8 without NUL (RFC 2231 §4) */
} HpMimeParamForm;

typedef struct {
    HpSlice name; /* without section numbers and stars */
    HpSlice value;
    HpMimeParamForm form;
} HpMimeParam;

/* @param is good until it returns. */
typedef void (*HpMimeParamEach)(const HpMimeParam *param, gpointer data);

/* Gives each of the first %HP_MIME_MAX_PARAMS of @value, the body of such a field, in
 * order; what is behind a missing section is dropped. */
void hp_mime_each_param(HpSlice value, HpMimeParamEach each, gpointer data);
