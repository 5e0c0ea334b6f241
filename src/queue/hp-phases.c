#include "hp-phases.h"

#include "hp-fs.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define MAGIC   0x31766870u /* "phv1" */
#define ID_SIZE 40          /* a UUID and its NUL, rounded up */
#define BOOT_ID "/proc/sys/kernel/random/boot_id"

enum {
    CLAIMED,
    DOT_BEGUN,
    WITHDRAWN,
};

typedef struct {
    gint64 attempt;
    gint32 phase;
    gint32 reserved;
} Slot;

typedef struct {
    guint32 magic;
    guint32 size;
    char boot_id[ID_SIZE];
    Slot slots[HP_PHASES_SLOTS];
} Map;

struct _HpPhases {
    Map *map; /* (owned): shared with the file */
    char boot_id[ID_SIZE];
    gboolean same_boot; /* what the map says is true */
};

/* Leaves @ret_id empty if it is not known. */
static void
read_boot_id(char *ret_id, const char *given)
{
    g_autofree char *text = NULL;

    if (given != NULL)
        g_strlcpy(ret_id, given, ID_SIZE);
    else if (g_file_get_contents(BOOT_ID, &text, NULL, NULL))
        g_strlcpy(ret_id, g_strstrip(text), ID_SIZE);
}

/* What the map says is true: it is whole, and of this boot. */
static gboolean
is_of_boot(const Map *map, const char *boot_id)
{
    return boot_id[0] != '\0' && map->magic == MAGIC && map->size == sizeof(Map) &&
           memcmp(map->boot_id, boot_id, ID_SIZE) == 0;
}

HpPhases *
hp_phases_open(const char *path, const char *boot_id, GError **error)
{
    hp_autofd fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    HpPhases *self;
    Map *map;

    if (fd < 0 || ftruncate(fd, sizeof(Map)) != 0) {
        hp_fs_fail(error, N_("open"), path);
        return NULL;
    }
    /* The room is taken now: a full disk would end the program with SIGBUS later. */
    errno = posix_fallocate(fd, 0, sizeof(Map));
    if (errno != 0) {
        hp_fs_fail(error, N_("make room for"), path);
        return NULL;
    }
    map = mmap(NULL, sizeof(Map), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED) {
        hp_fs_fail(error, N_("map"), path);
        return NULL;
    }
    self = g_new0(HpPhases, 1);
    self->map = map;
    read_boot_id(self->boot_id, boot_id);
    self->same_boot = is_of_boot(map, self->boot_id);
    return self;
}

void
hp_phases_close(HpPhases *self)
{
    if (self == NULL)
        return;
    munmap(self->map, sizeof(Map));
    g_free(self);
}

gboolean
hp_phases_may_have_arrived(const HpPhases *self, gint64 attempt)
{
    if (!self->same_boot)
        return TRUE;
    for (guint i = 0; i < HP_PHASES_SLOTS; i++)
        if (self->map->slots[i].attempt == attempt)
            return self->map->slots[i].phase == DOT_BEGUN;
    return FALSE;
}

void
hp_phases_renew(HpPhases *self)
{
    memset(self->map, 0, sizeof(Map));
    self->map->magic = MAGIC;
    self->map->size = sizeof(Map);
    memcpy(self->map->boot_id, self->boot_id, ID_SIZE);
    self->same_boot = self->boot_id[0] != '\0';
}

void
hp_phases_begin(HpPhases *self, guint slot, gint64 attempt)
{
    Slot *s = &self->map->slots[slot];

    g_assert(slot < HP_PHASES_SLOTS);
    /* In this order a process that dies in between leaves no false "begun". */
    __atomic_store_n(&s->attempt, 0, __ATOMIC_SEQ_CST);
    __atomic_store_n(&s->phase, CLAIMED, __ATOMIC_SEQ_CST);
    __atomic_store_n(&s->attempt, attempt, __ATOMIC_SEQ_CST);
}

/* The phase that a claimed slot has now: @phase, or what it was in already. */
static gint32
leave_claimed(HpPhases *self, guint slot, gint32 phase)
{
    gint32 before = CLAIMED;

    g_assert(slot < HP_PHASES_SLOTS);
    return __atomic_compare_exchange_n(&self->map->slots[slot].phase, &before, phase,
                                       FALSE, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)
               ? phase
               : before;
}

gboolean
hp_phases_begin_dot(HpPhases *self, guint slot)
{
    return leave_claimed(self, slot, DOT_BEGUN) == DOT_BEGUN;
}

gboolean
hp_phases_withdraw(HpPhases *self, guint slot)
{
    return leave_claimed(self, slot, WITHDRAWN) == WITHDRAWN;
}
