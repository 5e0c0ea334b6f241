/* Feeds every file of a folder to a fuzz target, in name order: what once crashed never
 * crashes again, also without libFuzzer. */
#include <glib.h>
#include <stdint.h>
#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static gboolean
replay(const char *path)
{
    g_autofree char *bytes = NULL;
    g_autofree uint8_t *exact = NULL;
    gsize len;

    if (!g_file_get_contents(path, &bytes, &len, NULL))
        return FALSE;
    /* Exactly as long as the input, so that the first byte too many is seen. */
    exact = g_memdup2(bytes, len);
    LLVMFuzzerTestOneInput(exact, len);
    return TRUE;
}

int
main(int argc, char **argv)
{
    guint n = 0;

    for (int i = 1; i < argc; i++) {
        g_autoptr(GDir) dir = g_dir_open(argv[i], 0, NULL);
        const char *name;

        while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
            g_autofree char *path = g_build_filename(argv[i], name, NULL);

            n += replay(path);
        }
    }
    printf("replayed %u inputs\n", n);
    return n > 0 ? 0 : 1;
}
