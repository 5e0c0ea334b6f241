/* What is accepted is accepted again, has no blind copies, and needs nothing more. */
#include "hp-header.h"
#include "hp-submission.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static HpSubmission *
submit(HpSlice header, const HpIdentities *identities)
{
    HpSubmissionRequest request = { .identities = identities,
                                    .hostname = "laptop.example",
                                    .protocol = "ESMTPA",
                                    .id = "7Q2KXM",
                                    .now_wall_usec =
                                        1795525500 * (gint64)G_USEC_PER_SEC };

    return hp_submission_new(header, &request);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(HpIdentities) identities =
        hp_identities_new("anna@example.org", NULL, NULL, NULL);
    g_autoptr(HpSubmission) once =
        submit((HpSlice){ (const char *)data, size }, identities);
    g_autoptr(HpSubmission) twice = NULL;
    HpHeaderField field;
    HpSlice header;

    if (once->header == NULL)
        return 0;
    header = hp_slice_of_string(once->header);
    header.len = hp_header_split(header);
    g_assert_false(hp_header_find(header, "Bcc", &field));
    g_assert_true(header.len > HP_HEADER_MAX_BLOCK ||
                  (hp_header_find(header, "From", &field) &&
                   hp_header_find(header, "Date", &field) &&
                   hp_header_find(header, "Message-ID", &field)));
    twice = submit(hp_slice_of_string(once->header), identities);
    g_assert_nonnull(twice->header);
    g_assert_cmpuint(twice->hops, ==, once->hops + 1);
    /* The second time only a trace line comes on top. */
    g_assert_cmpuint(twice->header->len, >, once->header->len);
    g_assert_cmpmem(twice->header->str + (twice->header->len - once->header->len),
                    (int)once->header->len, once->header->str, (int)once->header->len);
    return 0;
}
